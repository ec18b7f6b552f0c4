#include "common/host/configuration.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iostream>
#include <memory>

#include "common/base/shown_text.h"
#include "common/host/toml_config.h"
#include "common/host/version.h"

namespace millrace::host {
namespace {

constexpr const char* kConfigVariable = "MILLRACE_CONFIG";

// "--client-port" reads MILLRACE_CLIENT_PORT.
std::string variable_of(const std::string& long_name) {
  std::string variable = "MILLRACE_";
  for (const char c : long_name) {
    variable.push_back(c == '-' ? '_'
                                : static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  }
  return variable;
}

void name_variables(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    const bool configurable = option->get_configurable() && !option->get_lnames().empty();
    if (configurable) option->envname(variable_of(option->get_lnames().front()));
  }
}

// True when the command line, up to "--", has the option in its long or short form.
bool is_on_command_line(const CLI::Option& option, const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--") return false;
    const std::string name = argument.substr(0, argument.find('='));
    if (name.rfind("--", 0) == 0) {
      if (option.check_lname(name.substr(2))) return true;
    } else if (name.size() >= 2 && name[0] == '-' && option.check_sname(name.substr(1, 1))) {
      return true;
    }
  }
  return false;
}

// The option that an error of CLI11 talks about, in `app` or below.
const CLI::Option* option_in(const CLI::App& app, const std::string& text) {
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_name();
    const std::size_t at = name.empty() ? std::string::npos : text.find(name);
    if (at == std::string::npos) continue;
    const std::size_t end = at + name.size();
    if (end == text.size() || text[end] == ' ' || text[end] == ':') return option;
  }
  for (const CLI::App* below : app.get_subcommands()) {
    if (const CLI::Option* option = option_in(*below, text)) return option;
  }
  return nullptr;
}

// Where the refused value of `option` came from when not from the command line, as "PLACE: ".
std::string source_of(const CLI::Option& option, const std::vector<std::string>& arguments,
                      const TomlConfig* file) {
  if (is_on_command_line(option, arguments)) return {};
  const std::string variable = option.get_envname();
  if (!environment_value(variable).empty()) return variable + ": ";
  const std::string place = file == nullptr ? std::string() : file->place_of(&option);
  return place.empty() ? std::string() : place + ": ";
}

std::string error_line(const CLI::App& app, const CLI::ParseError& error,
                       const std::vector<std::string>& arguments) {
  const std::string text = one_line(error.what());
  if (dynamic_cast<const CLI::FileError*>(&error) != nullptr) return text;
  const std::string advice = "; see " + app.get_name() + " --help";
  const CLI::Option* option = option_in(app, text);
  if (option == nullptr) return text + advice;
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    const std::string variable = option->get_envname();
    return text + (variable.empty() ? std::string() : " (or " + variable + ")") + advice;
  }
  const auto* file = dynamic_cast<const TomlConfig*>(app.get_config_formatter().get());
  return source_of(*option, arguments, file) + text + advice;
}

// The file must be readable: CLI11 would pass over some that are not.
CLI::Validator readable_file() {
  return CLI::Validator(
      [](std::string& name) {
        return std::ifstream(name).good() && CLI::ExistingFile(name).empty()
                   ? std::string()
                   : "cannot read the file '" + name + "'";
      },
      "FILE");
}

// As a string of TOML.
std::string quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : one_line(text)) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

struct ByteUnit {
  std::string_view suffix;
  std::uint64_t bytes;
};
constexpr std::array<ByteUnit, 9> kByteUnits = {{{"", 1},
                                                 {"B", 1},
                                                 {"KiB", std::uint64_t{1} << 10},
                                                 {"MiB", std::uint64_t{1} << 20},
                                                 {"GiB", std::uint64_t{1} << 30},
                                                 {"TiB", std::uint64_t{1} << 40},
                                                 {"KB", 1'000},
                                                 {"MB", 1'000'000},
                                                 {"GB", 1'000'000'000}}};

Result<ByteCount> parse_bytes(const std::string& text) {
  std::uint64_t count = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view suffix(parsed.ptr,
                                static_cast<std::size_t>(text.data() + text.size() - parsed.ptr));
  for (const ByteUnit& unit : kByteUnits) {
    if (parsed.ec == std::errc() && unit.suffix == suffix &&
        count <= std::numeric_limits<std::uint64_t>::max() / unit.bytes) {
      return ByteCount(count * unit.bytes);
    }
  }
  return Error{ErrorCode::invalid,
               "'" + shown_text(text) +
                   "' is not a size; write a number of bytes, or with a unit such as 64KiB, "
                   "16MiB or 2GiB"};
}

std::string bytes_text(ByteCount bytes) {
  for (std::size_t i = 5; i >= 2; --i) {
    const ByteUnit& unit = kByteUnits[i];
    if (bytes.value != 0 && bytes.value % unit.bytes == 0) {
      return std::to_string(bytes.value / unit.bytes) + std::string(unit.suffix);
    }
  }
  return std::to_string(bytes.value);
}

// An option whose text `parse` turns into `value`.
template <class Value, class Parse>
CLI::Option* add_parsed(CLI::App& app, const std::string& name, Value& value,
                        const std::string& help, Parse parse) {
  const std::size_t long_form = name.find("--");
  const std::string shown = long_form == std::string::npos ? name : name.substr(long_form);
  return app.add_option_function<std::string>(
      name,
      [&value, shown, parse](const std::string& text) {
        const Result<Value> parsed = parse(text);
        if (!parsed.ok()) throw CLI::ValidationError(shown, parsed.error().message);
        value = *parsed;
      },
      help);
}

}  // namespace

void add_common_options(CLI::App& app, std::string& log_level) {
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.set_version_flag("--version", app.get_name() + " " + version(), "Print the version and exit");
  app.add_option("--log-level", log_level, "trace, debug, info, warn, error or off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  app.set_config("--config", "", "Read options from this TOML file (also MILLRACE_CONFIG)")
      ->check(readable_file());
  app.config_formatter(std::make_shared<TomlConfig>(app));
}

void add_log_format(CLI::App& app, std::string& log_format) {
  app.add_option("--log-format", log_format, "text, or json for one object a line")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

std::string settings_text(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_configurable() || option->get_lnames().empty()) continue;
    if (option == app.get_config_ptr() || option->get_expected_max() == 0) continue;
    const std::vector<std::string> given = option->results();
    const bool list = option->get_expected_max() > 1;
    if (list) {
      if (given.empty()) continue;
      std::string items;
      for (const std::string& item : given) items += (items.empty() ? "" : ", ") + quoted(item);
      text += option->get_lnames().front() + " = [" + items + "]\n";
      continue;
    }
    const std::string value = given.empty() ? option->get_default_str() : given.back();
    if (value.empty()) continue;
    const bool number = option->get_type_name().find("UINT") != std::string::npos;
    text += option->get_lnames().front() + " = " + (number ? value : quoted(value)) + "\n";
  }
  return text;
}

ParseResult parse_command_line(CLI::App& app, int argc, const char* const* argv) {
  name_variables(app);
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  const CLI::Option* config = app.get_config_ptr();
  const std::string config_file = environment_value(kConfigVariable);
  const bool config_from_environment =
      config != nullptr && !config_file.empty() && !is_on_command_line(*config, arguments);
  // CLI11 takes the arguments last first.
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  if (config_from_environment) reversed.push_back("--config=" + config_file);
  try {
    app.parse(std::move(reversed));
    return {};
  } catch (const CLI::Success& answer) {
    app.exit(answer);
    return {false, ExitCode::done};
  } catch (const CLI::ParseError& error) {
    const bool about_config = std::string_view(error.what()).substr(0, 8) == "--config";
    std::cerr << app.get_name() << ": "
              << (about_config && config_from_environment ? std::string(kConfigVariable) + ": "
                                                          : "")
              << error_line(app, error, arguments) << std::endl;
  } catch (const std::exception& error) {
    std::cerr << app.get_name() << ": " << one_line(error.what()) << std::endl;
  }
  return {false, ExitCode::usage};
}

CLI::Option* add_duration(CLI::App& app, const std::string& name, Duration& value,
                          const std::string& help) {
  return add_parsed(app, name, value, help,
                    [](const std::string& text) { return parse_duration(text); })
      ->type_name("DURATION")
      ->default_str(to_text(value));
}

CLI::Option* add_bytes(CLI::App& app, const std::string& name, ByteCount& value,
                       const std::string& help) {
  return add_parsed(app, name, value, help, parse_bytes)
      ->type_name("BYTES")
      ->default_str(bytes_text(value));
}

}  // namespace millrace::host
