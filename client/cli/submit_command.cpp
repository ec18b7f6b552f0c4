// millrace submit QUEUE [FILE|-]
#include <unistd.h>

#include <memory>
#include <utility>

#include "client/cli/command.h"
#include "client/cli/display.h"
#include "client/cli/run_report.h"
#include "client/cli/submit_input.h"

namespace millrace::cli {
namespace {

struct SubmitOptions {
  SubmitInputOptions input;
  bool file_given = false;
  RunReportOptions report;
  client::Task defaults;
  std::uint32_t priority = kPriorityDefault;
  std::uint32_t max_attempts = kAttemptsDefault;
  std::vector<std::string> headers;
  bool backoff_max_given = false;
};

// Reads the flags that need more than CLI11 does.
Status complete(SubmitOptions& options) {
  client::Task& task = options.defaults;
  task.priority = static_cast<std::uint8_t>(options.priority);
  task.max_attempts = static_cast<std::uint16_t>(options.max_attempts);
  if (!options.backoff_max_given) {
    task.backoff.max = std::max(task.backoff.max, task.backoff.initial);
  }
  for (const std::string& header : options.headers) {
    const std::size_t equals = header.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error{ErrorCode::invalid, "--header '" + header + "' must be KEY=VALUE"};
    }
    task.headers.emplace_back(header.substr(0, equals), header.substr(equals + 1));
  }
  const bool generated = options.input.count > 0;
  if (generated && options.file_given) {
    return Error{ErrorCode::invalid, "give either a file or --count, not both"};
  }
  if (!generated && options.input.payload.has_value()) {
    return Error{ErrorCode::invalid, "--payload needs --count N"};
  }
  if (!generated && !options.file_given && ::isatty(STDIN_FILENO) == 1) {
    return Error{ErrorCode::invalid, "no tasks: give a file, '-' for standard input, or --count N"};
  }
  if (options.report.results && !options.report.wait) {
    return Error{ErrorCode::invalid, "--results needs --wait"};
  }
  return Done();
}

int report_end(CommandContext& context, const Status& status, const SubmitInput& input,
               RunReport& report, bool wait) {
  report.add_duplicates(input.repeated_lines());
  report.close();
  if (context.interrupted()) {
    const std::uint64_t left = report.accepted() - std::min(report.accepted(), report.ended());
    context.complain("interrupted: " + grouped(report.accepted()) + " submitted" +
                     (wait ? ", " + grouped(left) + " of them not ended" : "") +
                     "; they go on in the broker");
    return context.finish_interrupted();
  }
  if (!status) {
    if (std::ferror(stdout) != 0) return context.finish(host::ExitCode::work_failed);
    return context.fail(status.error());
  }
  if (input.problem().has_value()) {
    context.complain(*input.problem());
    context.complain(grouped(report.accepted()) + " tasks were submitted before that line");
    return context.finish(host::ExitCode::usage);
  }
  return context.finish(report.exit_code());
}

int run_submit(CommandContext& context, SubmitOptions options) {
  const Status complete_options = complete(options);
  if (!complete_options) return context.fail(complete_options.error());
  SubmitInput input(options.input, options.defaults, context.stop_descriptor());
  const Result<std::vector<std::string>> problems = input.check();
  if (!problems) {
    const int code = context.fail(problems.error());
    return code == kExitInterrupted ? code : static_cast<int>(host::ExitCode::usage);
  }
  for (const std::string& problem : *problems) context.complain(problem);
  if (!problems->empty()) return context.fail_usage("nothing was submitted");

  int exit_code = 0;
  std::optional<client::Client> client = context.connect(exit_code);
  if (!client) return exit_code;
  const host::Clock clock;
  RunReport report(options.report, clock);
  report.expect(input.total());
  client::BatchCallbacks callbacks;
  callbacks.on_submitted = [&](const TaskId& id, const Result<SubmitStatus>& answer) {
    report.submitted(id, answer);
  };
  if (options.report.wait) {
    callbacks.on_finished = [&](const FinishedTask& task) { report.finished(task); };
    callbacks.on_unknown = [&](const TaskId& id) { report.unknown(id); };
  }
  const Status status =
      client->submit_many([&](client::Task& task) { return input.next(task); }, callbacks);
  return report_end(context, status, input, report, options.report.wait);
}

void add_task_options(CLI::App& command, SubmitOptions& options) {
  client::Task& task = options.defaults;
  command.add_option("--priority", options.priority, "0 to 9, higher first")
      ->check(CLI::Range(0, 9))
      ->capture_default_str();
  command.add_option("--max-attempts", options.max_attempts, "Attempts before a task is dead")
      ->check(CLI::Range(1, static_cast<int>(kAttemptsMost)))
      ->capture_default_str();
  host::add_duration(command, "--delay", task.delay, "Start no earlier than this from now");
  host::add_duration(command, "--ttl", task.ttl, "Expire when not started by then (0: never)");
  host::add_duration(command, "--task-timeout", task.timeout,
                     "Of one attempt (0: the broker's default)");
  host::add_duration(command, "--backoff", task.backoff.initial, "Before the first retry; doubles");
  host::add_duration(command, "--backoff-max", task.backoff.max, "The longest wait for a retry")
      ->each([&options](const std::string&) { options.backoff_max_given = true; });
  host::add_duration(command, "--retention", task.retention,
                     "Keep the ended task this long (default: the broker's)")
      ->default_str("");
  command.add_option("--header", options.headers, "KEY=VALUE, as often as wanted")
      ->allow_extra_args(false);
}

}  // namespace

void add_submit_command(CLI::App& app, SelectedCommand& selected) {
  const auto options = std::make_shared<SubmitOptions>();
  CLI::App* command = app.add_subcommand(
      "submit", "Submit tasks: one JSON object a line, {\"payload\": \"...\", ...}");
  command->fallthrough();
  command->add_option("QUEUE", options->defaults.queue, "The queue")->required();
  CLI::Option* file =
      command->add_option("FILE", options->input.file, "The lines; - is standard input");
  command->add_flag("--lines", options->input.lines, "Each line is a payload as it stands");
  command->add_option("--count", options->input.count, "Submit this many generated tasks")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
  command->add_option("--payload", options->input.payload, "The payload of generated tasks");
  command->add_flag("--streaming", options->input.streaming,
                    "Submit while reading; a bad line ends it, what came before stays submitted");
  command->add_flag("--wait", options->report.wait, "Wait until all have ended");
  command->add_flag("--results", options->report.results,
                    "With --wait: a JSON line for each task as it ends");
  command->add_flag("--json", options->report.json, "Print one summary object");
  add_task_options(*command, *options);
  command->callback([options, file, &selected] {
    options->file_given = file->count() > 0;
    selected = [options](CommandContext& context) { return run_submit(context, *options); };
  });
}

}  // namespace millrace::cli
