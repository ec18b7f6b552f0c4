// Command lines and configuration files: whatever they say, the program goes on with values in
// their ranges, or prints one line and ends with the exit code of a wrong usage.
#include <iostream>
#include <sstream>

#include "common/host/configuration.h"
#include "common/host/toml_config.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/property.h"

namespace millrace::fuzz {
namespace {

// One option of every kind that the programs have.
class Program {
 public:
  Program() : app_("A program.", "millrace-fuzzed") {
    host::add_common_options(app_, log_level_);
    app_.add_option("--client-port", port_, "port");
    app_.add_option("--slots", slots_, "slots")->check(CLI::Range(1, 10'000));
    app_.add_option("--queue", queues_, "queues")->delimiter(',')->allow_extra_args(false);
    app_.add_flag("--verbose", verbose_, "say more");
    app_.add_option("program", program_, "program");
    host::add_duration(app_, "--lease", lease_, "lease");
    host::add_bytes(app_, "--cache", cache_, "cache");
    CLI::App* submit = app_.add_subcommand("submit", "submit tasks");
    submit->add_option("--priority", priority_, "priority")->check(CLI::Range(0, 9));
  }

  CLI::App& app() { return app_; }

  void check() const {
    require(slots_ >= 1 && slots_ <= 10'000, "slots are in their range");
    require(priority_ >= 0 && priority_ <= 9, "a priority is in its range");
  }

 private:
  CLI::App app_;
  std::string log_level_ = "info";
  std::uint16_t port_ = 5555;
  int slots_ = 1;
  int priority_ = 4;
  std::vector<std::string> queues_;
  bool verbose_ = false;
  std::vector<std::string> program_;
  Duration lease_ = Duration::seconds(3);
  ByteCount cache_ = ByteCount::mebibytes(8);
};

// What is printed meanwhile, instead of printing it.
class Capture {
 public:
  explicit Capture(std::ostream& stream) : stream_(stream), before_(stream.rdbuf(text_.rdbuf())) {}
  ~Capture() { stream_.rdbuf(before_); }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  std::string text() const { return text_.str(); }

 private:
  std::ostream& stream_;
  std::ostringstream text_;
  std::streambuf* before_;
};

// Arguments are separated by NUL.
std::vector<std::string> arguments_of(std::string_view text) {
  std::vector<std::string> arguments = {"/usr/bin/millrace-fuzzed"};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\0'), text.size());
    arguments.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return arguments;
}

void run_command_line(std::string_view text) {
  // A file of the fuzzer's choice could be any of this machine.
  if (text.find("config") != std::string_view::npos) return;
  const std::vector<std::string> arguments = arguments_of(text);
  std::vector<const char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
  Program program;
  const Capture output(std::cout);
  const Capture errors(std::cerr);
  const host::ParseResult result =
      host::parse_command_line(program.app(), static_cast<int>(pointers.size()), pointers.data());
  const std::string said = errors.text();
  if (result.proceed) return program.check();
  if (result.exit_now == host::ExitCode::done) {
    return require(said.empty() && !output.text().empty(), "help goes to standard output", said);
  }
  require(result.exit_now == host::ExitCode::usage, "a wrong usage has its exit code");
  require(!said.empty() && said.find('\n') == said.size() - 1, "an error is one line", said);
}

void run_file(std::string_view text) {
  Program program;
  const host::TomlConfig reader(program.app());
  std::istringstream file{std::string(text)};
  try {
    for (const CLI::ConfigItem& item : reader.from_config(file)) {
      require(!item.name.empty(), "a setting has a name", text);
    }
  } catch (const CLI::FileError& error) {
    const std::string_view said = error.what();
    require(!said.empty() && said.find('\n') == std::string_view::npos, "an error is one line",
            said);
  }
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  millrace::fuzz::Input input({data, size});
  const bool is_file = input.truth();
  const auto rest = input.rest();
  const std::string text(rest.begin(), rest.end());
  if (is_file) {
    millrace::fuzz::run_file(text);
  } else {
    millrace::fuzz::run_command_line(text);
  }
  return 0;
}
