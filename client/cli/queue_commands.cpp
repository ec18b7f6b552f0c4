// millrace queues | queue pause | resume | purge QUEUE
#include <memory>

#include "client/cli/bulk_change.h"
#include "client/cli/command.h"
#include "client/cli/display.h"
#include "client/cli/status_document.h"
#include "client/cli/task_json.h"
#include "common/json/strict_json.h"

namespace millrace::cli {
namespace {

struct QueueOptions {
  std::string queue;
  bool json = false;
};

int run_queues(CommandContext& context, bool json) {
  return run_document(
      context, StatusTopic::queues, json, "no queues yet; a queue exists from its first task on",
      [](const std::string& document) { return queues_text(document, wants_colour(stdout)); });
}

int run_control(CommandContext& context, const QueueOptions& options, QueueAction action) {
  int exit_code = 0;
  std::optional<client::Client> client = context.connect(exit_code);
  if (!client) return exit_code;
  const Result<std::uint64_t> count = client->control_queue(options.queue, action);
  if (!count) return context.fail(count.error());
  if (options.json) {
    print_line(json::dump(OrderedJson{{"queue", options.queue}, {"changed", *count}}));
  } else {
    const std::string state = action == QueueAction::pause ? "paused" : "running";
    print_line(printable(options.queue) + (*count == 0 ? " was already " : " is now ") + state);
  }
  return context.finish(host::ExitCode::done);
}

// First those that wait for their time: one that becomes due meanwhile is found among the pending.
int run_purge(CommandContext& context, const QueueOptions& options) {
  int exit_code = 0;
  std::optional<client::Client> client = context.connect(exit_code);
  if (!client) return exit_code;
  std::uint64_t count = 0;
  for (const TaskState state : {TaskState::delayed, TaskState::pending}) {
    TaskFilter filter;
    filter.queue = options.queue;
    filter.state = state;
    const Status changed = change_all(context, *client, TaskAction::cancel, filter, 0, count);
    if (!changed) return context.fail(changed.error());
  }
  if (options.json) {
    print_line(json::dump(OrderedJson{{"queue", options.queue}, {"changed", count}}));
  } else {
    print_line(grouped(count) + (count == 1 ? " task" : " tasks") + " cancelled in " +
               printable(options.queue));
  }
  return context.interrupted() ? context.finish_interrupted()
                               : context.finish(host::ExitCode::done);
}

}  // namespace

void add_queue_commands(CLI::App& app, SelectedCommand& selected) {
  const auto options = std::make_shared<QueueOptions>();
  CLI::App* queues = app.add_subcommand("queues", "List the queues");
  queues->fallthrough();
  queues->add_flag("--json", options->json, "The document of GET /queues");
  queues->callback([options, &selected] {
    selected = [options](CommandContext& context) { return run_queues(context, options->json); };
  });

  CLI::App* group = app.add_subcommand("queue", "Pause, resume or purge one queue");
  group->require_subcommand(1);
  group->fallthrough();
  using Run = std::function<int(CommandContext&, const QueueOptions&)>;
  const auto add = [&](const char* name, const char* help, const Run& run) {
    CLI::App* command = group->add_subcommand(name, help);
    command->fallthrough();
    command->add_option("QUEUE", options->queue, "The queue")->required();
    command->add_flag("--json", options->json, "JSON instead of text");
    command->callback([options, run, &selected] {
      selected = [options, run](CommandContext& context) { return run(context, *options); };
    });
  };
  const auto controls = [](QueueAction action) -> Run {
    return [action](CommandContext& context, const QueueOptions& chosen) {
      return run_control(context, chosen, action);
    };
  };
  add("pause", "Start no task of it until it is resumed", controls(QueueAction::pause));
  add("resume", "Start its tasks again", controls(QueueAction::resume));
  add("purge", "Cancel every waiting task of it", run_purge);
}

}  // namespace millrace::cli
