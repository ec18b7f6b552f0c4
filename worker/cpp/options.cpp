#include "worker/cpp/options.h"

#include <iostream>

#include "common/host/configuration.h"

namespace millrace::worker {
namespace {

void add_work_options(CLI::App& app, Options& options) {
  app.add_option("--queue", options.queues, "queues to work on: NAME[,NAME...], may be repeated")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->required();
  app.add_option("--builtin", options.builtin,
                 "instead of a program: echo returns the payload, sleep waits the milliseconds in "
                 "it, poison misbehaves")
      ->check(CLI::IsMember({"echo", "sleep", "poison"}));
  app.add_option("--poison", options.poison, "how --builtin poison misbehaves")
      ->check(CLI::IsMember({"fail", "exit", "hang", "stall", "lie", "slow"}));
  app.add_option("program", options.program,
                 "after --: the program to run once per task, and its arguments");
  host::add_duration(app, "--grace", options.grace,
                     "from SIGTERM to SIGKILL for a program that should end");
  app.add_option("--ledger", options.ledger,
                 "append a line to this file at the start and the end of each attempt");
  app.add_flag("--verbose", options.verbose, "pass the program's standard error on");
}

void add_connection_options(CLI::App& app, Options& options) {
  options.broker = "localhost";
  app.add_option("--broker", options.broker, "the broker: HOST[:PORT], port 5556 if not given")
      ->capture_default_str();
  app.add_option("--key", options.key, "key file, for a broker with keys; see millrace keygen");
  app.add_option("--slots", options.slots, "tasks to run at once; default: one a processor")
      ->check(CLI::Range(1, 10'000));
  app.add_option("--name", options.name, "the name people see; default: host name and process id");
  app.add_option("--prefetch", options.prefetch,
                 "tiny tasks to hold beyond the slots, at most; 0: none")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
  host::add_duration(app, "--drain-timeout", options.drain_timeout,
                     "after SIGTERM: time to finish what runs before it is handed back");
  host::add_duration(app, "--connect-timeout", options.connect_timeout,
                     "give up (exit 3) when no broker answers in this time; 0: never");
}

// What CLI11 cannot say. Empty if all is well.
std::string problem_of(const Options& options) {
  const bool has_program = !options.program.empty();
  if (has_program && !options.builtin.empty()) {
    return "--builtin and a program exclude each other; give one of them";
  }
  if (!has_program && options.builtin.empty()) {
    return "nothing to run for a task; add -- PROGRAM ARG... or --builtin echo";
  }
  if (options.builtin == "poison" && options.poison.empty()) {
    return "--builtin poison needs --poison fail, exit, hang, stall, lie or slow";
  }
  if (options.builtin != "poison" && !options.poison.empty()) {
    return "--poison works only with --builtin poison";
  }
  return {};
}

}  // namespace

std::optional<Options> read_options(int argc, const char* const* argv, host::ExitCode& exit_now) {
  Options options;
  CLI::App app("Runs tasks of a Millrace broker.", "millrace-worker");
  add_connection_options(app, options);
  add_work_options(app, options);
  host::add_common_options(app, options.log_level);
  const host::ParseResult parsed = host::parse_command_line(app, argc, argv);
  exit_now = parsed.exit_now;
  if (!parsed.proceed) return std::nullopt;
  const std::string problem = problem_of(options);
  if (problem.empty()) return options;
  std::cerr << "millrace-worker: " << problem << '\n';
  exit_now = host::ExitCode::usage;
  return std::nullopt;
}

}  // namespace millrace::worker
