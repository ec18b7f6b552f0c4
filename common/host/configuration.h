// Settings from flags, environment and file, in this order of precedence: flag, then
// MILLRACE_<NAME>, then the TOML file named by --config (or MILLRACE_CONFIG), then the default.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/time.h"

namespace millrace::host {

// The exit codes of every program.
enum class ExitCode : int {
  done = 0,
  work_failed = 1,        // the work itself did not fully succeed
  usage = 2,              // usage or configuration
  unreachable = 3,        // no broker in time
  store_failed = 74,      // EX_IOERR: a write or sync failed; restart recovers
  refused_to_start = 78,  // EX_CONFIG: unsafe or broken configuration
};

// Prepares `app` with --help, --version, --log-level and --config, TOML files whose keys are the
// long option names (tables are subcommands), and MILLRACE_ variables for every long option of
// `app` (made when parse is called: "--client-port" reads MILLRACE_CLIENT_PORT).
void add_common_options(CLI::App& app, std::string& log_level);

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

// "HOST", "HOST:PORT", "tcp://HOST:PORT", "[::1]:PORT". Errors: misconfigured.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
Result<HostPort> parse_host_port(const std::string& text, std::uint16_t default_port);
// "tcp://host:port" for ZeroMQ.
std::string to_tcp_address(const HostPort& address);

}  // namespace millrace::host
