// Settings from flags, environment and file, in this order of precedence: flag, then
// MILLRACE_<NAME>, then the TOML file named by --config (or MILLRACE_CONFIG), then the default.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/host/exit_code.h"

namespace millrace::host {

// Prepares `app` with --help, --version, --log-level and --config, TOML files whose keys are the
// long option names (tables are subcommands), and MILLRACE_ variables for every long option of
// `app` (made when parse is called: "--client-port" reads MILLRACE_CLIENT_PORT).
void add_common_options(CLI::App& app, std::string& log_level);

// --log-format, for the programs that log.
void add_log_format(CLI::App& app, std::string& log_format);

// Every setting of `app` as it holds now, as a TOML file that --config reads: after a parse.
std::string settings_text(const CLI::App& app);

// Parses. On --help or --version prints and returns `done` in `exit_now`. Errors are printed as one
// line on stderr that names flag, variable or file line, and what is allowed; `exit_now` is
// `usage`.
struct ParseResult {
  bool proceed = true;
  ExitCode exit_now = ExitCode::done;
};
ParseResult parse_command_line(CLI::App& app, int argc, const char* const* argv);

// Options of these types, with the accepted forms in the error line.
CLI::Option* add_duration(CLI::App& app, const std::string& name, Duration& value,
                          const std::string& help);
CLI::Option* add_bytes(CLI::App& app, const std::string& name, ByteCount& value,
                       const std::string& help);

}  // namespace millrace::host
