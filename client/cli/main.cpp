// The program `millrace`: submit tasks and see what becomes of them.
#include <CLI/CLI.hpp>
#include <iostream>

#include "client/cli/command.h"
#include "common/keys/key_pair.h"

int main(int argc, char** argv) {
  using namespace millrace;
  host::StopSignal stop;
  cli::GlobalOptions options;
  cli::SelectedCommand selected;

  CLI::App app("Submit tasks to a Millrace broker, wait for them, look and control.", "millrace");
  host::add_common_options(app, options.log_level);
  app.add_option("--broker", options.broker, "The broker: HOST, HOST:PORT or tcp://HOST:PORT")
      ->capture_default_str();
  app.add_option("--key", options.key, "Key file, for a broker with keys; see millrace keygen");
  host::add_duration(app, "--timeout", options.timeout,
                     "Wait this long for the broker (a batch under way: a minute at least)");
  app.require_subcommand(1);
  app.fallthrough();
  cli::add_submit_command(app, selected);
  cli::add_task_commands(app, selected);
  cli::add_explain_commands(app, selected);
  cli::add_dead_letter_commands(app, selected);
  cli::add_queue_commands(app, selected);
  cli::add_worker_commands(app, selected);
  cli::add_key_commands(app, selected);

  const host::ParseResult parsed = host::parse_command_line(app, argc, argv);
  if (!parsed.proceed) return static_cast<int>(parsed.exit_now);
  const Result<host::Log> log = host::make_log("millrace", options.log_level);
  if (!log) {
    std::cerr << "millrace: " << log.error().message << std::endl;
    return static_cast<int>(host::ExitCode::usage);
  }
  if (!options.key.empty()) keys::protect_process_memory();
  cli::CommandContext context(options, stop, *log);
  return selected(context);
}
