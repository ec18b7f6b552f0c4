// millrace workers | worker drain NAME | stats
#include <memory>

#include "client/cli/command.h"
#include "client/cli/display.h"
#include "client/cli/status_document.h"
#include "client/cli/task_json.h"
#include "common/json/strict_json.h"

namespace millrace::cli {
namespace {

struct WorkerOptions {
  std::string worker;
  bool json = false;
};

int run_workers(CommandContext& context, const WorkerOptions& options) {
  return run_document(
      context, StatusTopic::workers, options.json,
      "no workers are connected; start one with millrace-worker",
      [](const std::string& document) { return workers_text(document, wants_colour(stdout)); });
}

int run_stats(CommandContext& context, const WorkerOptions& options) {
  return run_document(context, StatusTopic::metrics, options.json, "no figures",
                      [](const std::string& document) { return metrics_text(document); });
}

int run_drain(CommandContext& context, const WorkerOptions& options) {
  int exit_code = 0;
  std::optional<client::Client> client = context.connect(exit_code);
  if (!client) return exit_code;
  const Result<std::uint64_t> count = client->drain_worker(options.worker);
  if (!count) return context.fail(count.error());
  if (options.json) {
    print_line(json::dump(OrderedJson{{"worker", options.worker}, {"drained", *count}}));
  } else if (*count > 0) {
    print_line(printable(options.worker) + " takes nothing new, finishes and leaves");
  }
  if (*count > 0) return context.finish(host::ExitCode::done);
  context.complain("no connected worker is named " + printable(options.worker) +
                   "; see millrace workers");
  return context.finish(host::ExitCode::work_failed);
}

}  // namespace

void add_worker_commands(CLI::App& app, SelectedCommand& selected) {
  const auto options = std::make_shared<WorkerOptions>();
  const auto add = [&](CLI::App& parent, const char* name, const char* help,
                       int (*run)(CommandContext&, const WorkerOptions&)) {
    CLI::App* command = parent.add_subcommand(name, help);
    command->fallthrough();
    command->add_flag("--json", options->json, "JSON instead of text");
    command->callback([options, run, &selected] {
      selected = [options, run](CommandContext& context) { return run(context, *options); };
    });
    return command;
  };
  add(app, "workers", "List the connected workers", run_workers);
  add(app, "stats", "The broker's figures", run_stats);
  CLI::App* group = app.add_subcommand("worker", "Control one worker");
  group->require_subcommand(1);
  group->fallthrough();
  add(*group, "drain", "Let a worker finish what it has and leave", run_drain)
      ->add_option("NAME", options->worker, "The worker")
      ->required();
}

}  // namespace millrace::cli
