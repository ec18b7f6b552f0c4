// What every command of the program has at hand.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/cpp/client.h"
#include "common/host/configuration.h"
#include "common/host/log.h"
#include "common/host/stop_signal.h"

namespace millrace::cli {

// Ended by a signal, as a shell reports it (128 + SIGINT).
inline constexpr int kExitInterrupted = 130;

struct GlobalOptions {
  std::string broker = "localhost";
  std::string key;  // a file; empty: none
  Duration timeout = Duration::seconds(10);
  std::string log_level = "warn";
};

// Lives on the main thread.
class CommandContext {
 public:
  CommandContext(const GlobalOptions& options, host::StopSignal& stop, host::Log log)
      : options_(options), stop_(stop), log_(std::move(log)) {}

  // Connects; on failure the line is printed and `exit_code` is set.
  std::optional<client::Client> connect(int& exit_code);

  // Prints the one line of an error on stderr; the exit code that fits it.
  int fail(const Error& error);
  int fail_usage(const std::string& message);
  void complain(const std::string& message) const;

  bool interrupted() { return stop_.count() > 0; }
  int stop_descriptor() const { return stop_.descriptor(); }
  // False after an interrupt and when nobody reads the output any more.
  bool may_proceed() { return !interrupted() && std::ferror(stdout) == 0; }

  // `code`, unless the output could not be written.
  int finish(host::ExitCode code) { return finish(static_cast<int>(code)); }
  int finish_interrupted() { return finish(kExitInterrupted); }

 private:
  int finish(int code);

  GlobalOptions options_;
  host::StopSignal& stop_;
  host::Log log_;
};

// The command that the line named; its code is the program's exit code.
using SelectedCommand = std::function<int(CommandContext&)>;

void add_submit_command(CLI::App& app, SelectedCommand& selected);
void add_task_commands(CLI::App& app, SelectedCommand& selected);
void add_explain_commands(CLI::App& app, SelectedCommand& selected);
void add_dead_letter_commands(CLI::App& app, SelectedCommand& selected);
void add_queue_commands(CLI::App& app, SelectedCommand& selected);
void add_worker_commands(CLI::App& app, SelectedCommand& selected);
void add_key_commands(CLI::App& app, SelectedCommand& selected);

// Reads UUIDs; the text that is none in the error.
Result<std::vector<TaskId>> parse_task_ids(const std::vector<std::string>& texts);

// Fetches a status document and prints it: as it came with `json`, else what `render` makes of it.
// When that is nothing, `nothing` is said on stderr. The exit code.
int run_document(CommandContext& context, StatusTopic topic, bool json, const char* nothing,
                 const std::function<std::string(const std::string&)>& render);

// Writes to stdout, with a newline.
void print_line(std::string_view text);

}  // namespace millrace::cli
