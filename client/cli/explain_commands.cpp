// millrace explain | history
#include <memory>

#include "client/cli/command.h"
#include "client/cli/display.h"
#include "common/base/task_history.h"
#include "common/host/clock.h"
#include "common/json/explained_json.h"
#include "common/json/strict_json.h"

namespace millrace::cli {
namespace {

struct ExplainOptions {
  std::vector<std::string> ids;
  bool json = false;
};

void print_explanation(const Explained& explained, Time) {
  print_line(to_text(explained.task.id) + "  " + std::string(name_of(explained.task.state)) + ": " +
             printable(explained.text));
}

void print_history(const Explained& explained, Time now) {
  Table table({{"TIME"},
               {"AGE", Align::right},
               {"EVENT"},
               {"ATTEMPT", Align::right},
               {"FENCE", Align::right},
               {"WORKER"},
               {"NOTE"}},
              wants_colour(stdout));
  const auto number = [](std::uint64_t value) {
    return value == 0 ? std::string() : std::to_string(value);
  };
  for (const HistoryEntry& entry : history_of(explained)) {
    const bool known = !entry.at.is_none();
    table.add({known ? to_rfc3339(entry.at) : "-", known ? age_text(now - entry.at) : "",
               std::string(entry.event), number(entry.attempt), number(entry.fence.value),
               entry.worker, entry.detail});
  }
  print_line(to_text(explained.task.id) + "  " + std::string(name_of(explained.task.state)));
  std::fputs(table.text().c_str(), stdout);
}

using Print = void (*)(const Explained&, Time);
using ToJson = nlohmann::ordered_json (*)(const Explained&);

int run_explain(CommandContext& context, const ExplainOptions& options, Print print,
                ToJson to_json) {
  const Result<std::vector<TaskId>> ids = parse_task_ids(options.ids);
  if (!ids) return context.fail(ids.error());
  int exit_code = 0;
  std::optional<client::Client> client = context.connect(exit_code);
  if (!client) return exit_code;
  const host::Clock clock;
  bool all_known = true;
  for (const TaskId& id : *ids) {
    const Result<Explained> explained = client->explain(id);
    if (explained) {
      if (options.json) {
        print_line(json::dump(to_json(*explained)));
      } else {
        print(*explained, clock.now());
      }
    } else if (explained.error().code == ErrorCode::not_found) {
      all_known = false;
      context.complain(explained.error().message);
    } else {
      return context.fail(explained.error());
    }
  }
  return context.finish(all_known ? host::ExitCode::done : host::ExitCode::work_failed);
}

}  // namespace

void add_explain_commands(CLI::App& app, SelectedCommand& selected) {
  const auto options = std::make_shared<ExplainOptions>();
  const auto add = [&](const char* name, const char* help, Print print, ToJson to_json) {
    CLI::App* command = app.add_subcommand(name, help);
    command->fallthrough();
    command->add_flag("--json", options->json, "JSON instead of text");
    command->add_option("ID", options->ids, "Task ids")->required();
    command->callback([options, print, to_json, &selected] {
      selected = [options, print, to_json](CommandContext& context) {
        return run_explain(context, *options, print, to_json);
      };
    });
  };
  add("explain", "Say why a task waits, where it runs or how it ended", print_explanation,
      json::explanation_json);
  add("history", "Show what has happened to a task", print_history, json::history_json);
}

}  // namespace millrace::cli
