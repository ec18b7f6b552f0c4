// millrace get | wait | cancel | tasks
#include <memory>
#include <unordered_set>
#include <utility>

#include "client/cli/bulk_change.h"
#include "client/cli/command.h"
#include "client/cli/display.h"
#include "client/cli/run_report.h"
#include "client/cli/task_json.h"
#include "client/cli/task_text.h"
#include "common/base/shown_text.h"
#include "common/json/strict_json.h"

namespace millrace::cli {
namespace {

struct TaskOptions {
  std::vector<std::string> ids;
  bool json = false;
  bool results = false;
  std::string queue;
  std::string state;
  std::uint64_t limit = 100;
  bool all = false;
  FilterOptions filter;  // of cancel
};

int run_get(CommandContext& context, const TaskOptions& options) {
  const Result<std::vector<TaskId>> ids = parse_task_ids(options.ids);
  if (!ids) return context.fail(ids.error());
  int exit_code = 0;
  std::optional<client::Client> client = context.connect(exit_code);
  if (!client) return exit_code;
  const Result<TaskList> found = client->get_many(*ids, {true, true, true});
  if (!found) return context.fail(found.error());
  const host::Clock clock;
  for (std::size_t i = 0; i < found->tasks.size(); ++i) {
    const TaskView& task = found->tasks[i];
    if (options.json) {
      print_line(json::dump(task_view_json(task)));
    } else {
      print_line((i > 0 ? "\n" : "") + task_text(task, clock.now()));
    }
  }
  for (const TaskId& id : found->unknown) context.complain("no task " + to_text(id));
  return context.finish(found->unknown.empty() ? host::ExitCode::done
                                               : host::ExitCode::work_failed);
}

int run_wait(CommandContext& context, const TaskOptions& options) {
  const Result<std::vector<TaskId>> given = parse_task_ids(options.ids);
  if (!given) return context.fail(given.error());
  std::vector<TaskId> ids;
  std::unordered_set<TaskId> seen;
  for (const TaskId& id : *given) {
    if (seen.insert(id).second) ids.push_back(id);
  }
  int exit_code = 0;
  std::optional<client::Client> client = context.connect(exit_code);
  if (!client) return exit_code;
  const host::Clock clock;
  RunReport report({true, options.results, options.json}, clock);
  report.expect(ids.size());
  client::BatchCallbacks callbacks;
  callbacks.on_finished = [&](const FinishedTask& task) { report.finished(task); };
  callbacks.on_unknown = [&](const TaskId& id) { report.unknown(id); };
  const Status status = client->wait_all(ids, callbacks);
  report.close();
  if (context.interrupted()) {
    context.complain("interrupted: " + grouped(ids.size() - report.ended()) +
                     " not ended; they go on in the broker");
    return context.finish_interrupted();
  }
  if (!status) return context.fail(status.error());
  return context.finish(report.exit_code());
}

const char* name_of(CancelStatus status) {
  switch (status) {
    case CancelStatus::cancelled:
      return "cancelled";
    case CancelStatus::cancelling:
      return "cancelling";
    case CancelStatus::already_finished:
      return "already_finished";
    case CancelStatus::not_found:
      return "not_found";
  }
  return "unknown";
}

int run_cancel_filter(CommandContext& context, const TaskOptions& options) {
  const Result<TaskFilter> filter = filter_of(options.filter, host::Clock().now());
  if (!filter) return context.fail(filter.error());
  int exit_code = 0;
  std::optional<client::Client> client = context.connect(exit_code);
  if (!client) return exit_code;
  std::uint64_t count = 0;
  const Status changed =
      change_all(context, *client, TaskAction::cancel, *filter, options.filter.rate, count);
  if (!changed && count == 0) return context.fail(changed.error());
  if (options.json) {
    print_line(json::dump(OrderedJson{{"cancelled", count}}));
  } else {
    print_line(grouped(count) + (count == 1 ? " task" : " tasks") +
               " cancelled, running ones as soon as their workers have stopped");
  }
  if (!changed) return context.fail(changed.error());
  return context.interrupted() ? context.finish_interrupted()
                               : context.finish(host::ExitCode::done);
}

int run_cancel(CommandContext& context, const TaskOptions& options) {
  const Result<std::vector<TaskId>> ids = parse_task_ids(options.ids);
  if (!ids) return context.fail(ids.error());
  const int ways = (ids->empty() ? 0 : 1) + (has_condition(options.filter) ? 1 : 0) +
                   (options.filter.all ? 1 : 0);
  if (ways != 1) {
    return context.fail_usage("say which tasks: ids, conditions such as --queue NAME, or --all");
  }
  if (ids->empty()) return run_cancel_filter(context, options);
  int exit_code = 0;
  std::optional<client::Client> client = context.connect(exit_code);
  if (!client) return exit_code;
  const Result<std::vector<CancelAnswer>> answers = client->cancel(*ids);
  if (!answers) return context.fail(answers.error());
  bool all_cancelled = true;
  for (std::size_t i = 0; i < answers->size(); ++i) {
    const CancelAnswer& answer = (*answers)[i];
    const bool known = answer.status != CancelStatus::not_found;
    const bool cancelled = known && (answer.status != CancelStatus::already_finished ||
                                     answer.state == TaskState::cancelled);
    all_cancelled = all_cancelled && cancelled;
    if (options.json) {
      OrderedJson object = {{"id", to_text((*ids)[i])}, {"answer", name_of(answer.status)}};
      object["state"] = known ? OrderedJson(millrace::name_of(answer.state)) : OrderedJson(nullptr);
      print_line(json::dump(object));
    } else {
      std::string line = to_text((*ids)[i]) + "  " + name_of(answer.status);
      if (answer.status == CancelStatus::already_finished) {
        line += " (" + std::string(millrace::name_of(answer.state)) + ")";
      }
      print_line(line);
    }
  }
  return context.finish(all_cancelled ? host::ExitCode::done : host::ExitCode::work_failed);
}

int run_tasks(CommandContext& context, const TaskOptions& options) {
  TaskFilter filter;
  filter.queue = options.queue;
  if (!options.state.empty()) {
    const std::optional<TaskState> state = task_state_named(options.state);
    if (!state.has_value()) {
      return context.fail_usage("'" + shown_text(options.state) +
                                "' is not a state; states are delayed, pending, in_progress, "
                                "succeeded, dead, cancelled and expired");
    }
    filter.state = *state;
  }
  const std::uint64_t limit = options.all ? UINT64_MAX : options.limit;
  return run_task_list(context, filter, limit, options.json);
}

using Options = std::shared_ptr<TaskOptions>;

CLI::App* add_command(CLI::App& app, SelectedCommand& selected, const Options& options,
                      const char* name, const char* help,
                      int (*run)(CommandContext&, const TaskOptions&)) {
  CLI::App* command = app.add_subcommand(name, help);
  command->fallthrough();
  command->add_flag("--json", options->json, "JSON instead of text");
  command->callback([options, run, &selected] {
    selected = [options, run](CommandContext& context) { return run(context, *options); };
  });
  return command;
}

void add_ids(CLI::App& command, const Options& options) {
  command.add_option("ID", options->ids, "Task ids")->required();
}

}  // namespace

void add_task_commands(CLI::App& app, SelectedCommand& selected) {
  const auto options = std::make_shared<TaskOptions>();
  add_ids(*add_command(app, selected, options, "get", "Show tasks in full", run_get), options);
  CLI::App* wait = add_command(app, selected, options, "wait", "Wait for tasks to end", run_wait);
  add_ids(*wait, options);
  wait->add_flag("--results", options->results, "A JSON line for each task as it ends");
  CLI::App* cancel = add_command(app, selected, options, "cancel",
                                 "Cancel tasks, by their ids or by what they are", run_cancel);
  cancel->add_option("ID", options->ids, "Task ids");
  add_filter_options(*cancel, options->filter);
  add_state_option(*cancel, options->filter);
  CLI::App* tasks = add_command(app, selected, options, "tasks", "List tasks", run_tasks);
  tasks->add_option("--queue", options->queue, "Of this queue");
  tasks->add_option("--state", options->state,
                    "delayed, pending, in_progress, succeeded, dead, cancelled or expired");
  tasks->add_option("--limit", options->limit, "At most this many")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}))
      ->capture_default_str();
  tasks->add_flag("--all", options->all, "All of them");
}

}  // namespace millrace::cli
