// millrace dlq list | show | requeue | purge
#include <memory>
#include <utility>

#include "client/cli/bulk_change.h"
#include "client/cli/command.h"
#include "client/cli/display.h"
#include "client/cli/task_json.h"
#include "client/cli/task_text.h"
#include "common/host/clock.h"
#include "common/json/strict_json.h"

namespace millrace::cli {
namespace {

struct DeadLetterOptions {
  std::vector<std::string> ids;
  FilterOptions filter;
  bool json = false;
  std::uint64_t limit = 100;
};

int run_list(CommandContext& context, const DeadLetterOptions& options) {
  TaskFilter filter;
  filter.queue = options.filter.queue;
  filter.state = TaskState::dead;
  return run_task_list(context, filter, options.filter.all ? UINT64_MAX : options.limit,
                       options.json);
}

int run_show(CommandContext& context, const DeadLetterOptions& options) {
  const Result<std::vector<TaskId>> ids = parse_task_ids(options.ids);
  if (!ids) return context.fail(ids.error());
  int exit_code = 0;
  std::optional<client::Client> client = context.connect(exit_code);
  if (!client) return exit_code;
  const Result<TaskList> found = client->get_many(*ids, {true, false, true});
  if (!found) return context.fail(found.error());
  const host::Clock clock;
  bool all_dead = found->unknown.empty();
  bool first = true;
  for (const TaskView& task : found->tasks) {
    if (task.state != TaskState::dead) {
      all_dead = false;
      context.complain("task " + to_text(task.id) + " is not in the dead-letter queue; it is " +
                       std::string(name_of(task.state)));
    } else if (options.json) {
      print_line(json::dump(task_view_json(task)));
    } else {
      print_line((std::exchange(first, false) ? "" : "\n") + task_text(task, clock.now()));
    }
  }
  for (const TaskId& id : found->unknown) context.complain("no task " + to_text(id));
  return context.finish(all_dead ? host::ExitCode::done : host::ExitCode::work_failed);
}

using Change = Result<std::uint64_t> (client::Client::*)(const std::vector<TaskId>&,
                                                         const std::string&);

int report_change(CommandContext& context, const DeadLetterOptions& options,
                  const std::string& verb, std::uint64_t count) {
  if (options.json) {
    print_line(json::dump(OrderedJson{{verb, count}}));
  } else {
    print_line(grouped(count) + (count == 1 ? " task " : " tasks ") + verb);
  }
  return context.finish(host::ExitCode::done);
}

int run_bulk(CommandContext& context, const DeadLetterOptions& options, TaskAction action,
             const std::string& verb) {
  Result<TaskFilter> filter = filter_of(options.filter, host::Clock().now());
  if (!filter) return context.fail(filter.error());
  filter->state = TaskState::dead;
  int exit_code = 0;
  std::optional<client::Client> client = context.connect(exit_code);
  if (!client) return exit_code;
  std::uint64_t count = 0;
  const Status changed = change_all(context, *client, action, *filter, options.filter.rate, count);
  if (!changed && count == 0) return context.fail(changed.error());
  const int code = report_change(context, options, verb, count);
  if (context.interrupted()) return context.finish_interrupted();
  return changed ? code : context.fail(changed.error());
}

// `verb` is what was done: "requeued" or "purged".
int run_change(CommandContext& context, const DeadLetterOptions& options, Change change,
               TaskAction action, const std::string& verb) {
  const Result<std::vector<TaskId>> ids = parse_task_ids(options.ids);
  if (!ids) return context.fail(ids.error());
  const int ways = (ids->empty() ? 0 : 1) + (has_condition(options.filter) ? 1 : 0) +
                   (options.filter.all ? 1 : 0);
  if (ways != 1) {
    return context.fail_usage(
        "say which dead tasks: ids, conditions such as --queue NAME, or --all");
  }
  if (ids->empty()) return run_bulk(context, options, action, verb);
  int exit_code = 0;
  std::optional<client::Client> client = context.connect(exit_code);
  if (!client) return exit_code;
  const Result<std::uint64_t> count = ((*client).*change)(*ids, "");
  if (!count) return context.fail(count.error());
  const int code = report_change(context, options, verb, *count);
  if (*count >= ids->size()) return code;
  context.complain(grouped(ids->size() - *count) +
                   " of the tasks are not in the dead-letter queue");
  return context.finish(host::ExitCode::work_failed);
}

int run_requeue(CommandContext& context, const DeadLetterOptions& options) {
  return run_change(context, options, &client::Client::requeue, TaskAction::requeue, "requeued");
}

int run_purge(CommandContext& context, const DeadLetterOptions& options) {
  return run_change(context, options, &client::Client::purge, TaskAction::forget, "purged");
}

}  // namespace

void add_dead_letter_commands(CLI::App& app, SelectedCommand& selected) {
  const auto options = std::make_shared<DeadLetterOptions>();
  CLI::App* group = app.add_subcommand("dlq", "The dead-letter queue: tasks that failed for good");
  group->require_subcommand(1);
  group->fallthrough();
  const auto add = [&](const char* name, const char* help,
                       int (*run)(CommandContext&, const DeadLetterOptions&)) {
    CLI::App* command = group->add_subcommand(name, help);
    command->fallthrough();
    command->add_flag("--json", options->json, "JSON instead of text");
    command->callback([options, run, &selected] {
      selected = [options, run](CommandContext& context) { return run(context, *options); };
    });
    return command;
  };
  CLI::App* list = add("list", "List dead tasks", run_list);
  list->add_option("--queue", options->filter.queue, "Of this queue");
  list->add_option("--limit", options->limit, "At most this many")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}))
      ->capture_default_str();
  list->add_flag("--all", options->filter.all, "All of them");
  CLI::App* show = add("show", "Show dead tasks in full, with their attempts", run_show);
  show->add_option("ID", options->ids, "Task ids")->required();
  for (CLI::App* change : {add("requeue", "Run dead tasks again, with fresh attempts", run_requeue),
                           add("purge", "Forget dead tasks for good", run_purge)}) {
    change->add_option("ID", options->ids, "Task ids");
    add_filter_options(*change, options->filter);
    add_reason_option(*change, options->filter);
  }
}

}  // namespace millrace::cli
