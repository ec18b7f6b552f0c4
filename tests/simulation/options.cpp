#include "tests/simulation/options.h"

#include <charconv>
#include <optional>
#include <string_view>

namespace millrace::simulation {
namespace {

template <class Number>
std::optional<Number> read_number(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

Error bad(std::string_view argument) {
  return Error{ErrorCode::invalid,
               "cannot use '" + std::string(argument) + "'; see millrace-sim --help"};
}

bool read_range(std::string_view text, Options& options) {
  const std::size_t dots = text.find("..");
  const auto first = read_number<std::uint64_t>(text.substr(0, dots));
  const auto last =
      dots == std::string_view::npos ? first : read_number<std::uint64_t>(text.substr(dots + 2));
  if (!first || !last || *first > *last) return false;
  options.first = *first;
  options.last = *last;
  return true;
}

// An option that takes a value.
bool read_value(std::string_view name, std::string_view value, Options& options) {
  if (name == "--seeds") return read_range(value, options);
  if (name == "--mutant") {
    const std::optional<Mutant> mutant = mutant_named(value);
    if (!mutant) return false;
    options.mutant = NamedMutant{*mutant, value};
    return true;
  }
  const auto number = read_number<std::uint32_t>(value);
  if (!number || *number == 0) return false;
  if (name == "--tasks") options.size.tasks = *number;
  if (name == "--workers") options.size.workers = *number;
  return name == "--tasks" || name == "--workers";
}

}  // namespace

Result<Options> parse_options(int argc, const char* const* argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help") {
      options.help = true;
    } else if (argument == "--verbose") {
      options.verbose = true;
    } else if (argument == "--coverage") {
      options.coverage = true;
    } else if (argument == "--json") {
      options.json = true;
    } else if (argument == "--keep-going") {
      options.keep_going = true;
    } else if (argument.substr(0, 2) == "--") {
      if (i + 1 == argc || !read_value(argument, argv[i + 1], options)) return bad(argument);
      ++i;
    } else if (!read_range(argument, options)) {
      return bad(argument);
    }
  }
  return options;
}

std::string usage() {
  std::string text =
      "millrace-sim SEED | --seeds A..B   runs a whole cluster on virtual time, once for each "
      "seed\n"
      "  --verbose        tells what happens\n"
      "  --tasks N        as many tasks, instead of the seed's number\n"
      "  --workers N      as many workers, instead of the seed's number\n"
      "  --coverage       fails unless every kind of fault and of end has occurred\n"
      "  --json           tells the summary as one line of JSON\n"
      "  --keep-going     does not stop at the first broken promise, and tells no story of it\n"
      "  --mutant NAME    with a fault built into the shell, to be found; one of\n";
  for (const NamedMutant& mutant : kMutants) {
    text += "                     " + std::string(mutant.name) + "\n";
  }
  return text + "Exit codes: 0 every promise was kept, 1 one was broken, 2 usage.\n";
}

}  // namespace millrace::simulation
