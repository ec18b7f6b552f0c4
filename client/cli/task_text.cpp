#include "client/cli/task_text.h"

#include <algorithm>
#include <utility>

#include "client/cli/display.h"
#include "client/cli/task_json.h"
#include "common/host/clock.h"
#include "common/json/strict_json.h"

namespace millrace::cli {
namespace {

constexpr std::uint32_t kPageTasks = 1'000;
constexpr std::size_t kShownWidthMax = 60;
constexpr std::size_t kPayloadWidthMax = 2'000;

void add_line(std::string& text, const std::string& name, const std::string& value) {
  if (value.empty()) return;
  if (!text.empty()) text += "\n";
  text += name + std::string(name.size() < 14 ? 14 - name.size() : 1, ' ') + value;
}

std::string moment_text(Time time, Time now) {
  if (time.is_none()) return "";
  const std::string age =
      time <= now ? age_text(now - time) + " ago" : "in " + age_text(time - now);
  return to_rfc3339(time) + " (" + age + ")";
}

void add_spec(std::string& text, const SharedBytes& spec) {
  const Result<wire::TaskDescription> task = wire::decode_task(spec, PeerLimits());
  if (!task) return;
  for (const auto& [key, value] : task->headers) {
    add_line(text, "header", printable(key) + "=" + printable(value));
  }
  add_line(text, "payload", printable(task->payload.text(), kPayloadWidthMax));
}

std::vector<std::string> row_of(const TaskView& task, Time now) {
  std::string note = task.error;
  if (task.state == TaskState::in_progress) note = task.worker;
  if (task.state == TaskState::delayed) note = "due in " + age_text(task.due - now);
  return {to_text(task.id),
          task.queue,
          std::string(name_of(task.state)),
          std::to_string(task.priority),
          std::to_string(task.attempts) + "/" + std::to_string(task.max_attempts),
          age_text(now - task.accepted),
          printable(note, kShownWidthMax)};
}

}  // namespace

std::string task_text(const TaskView& task, Time now) {
  std::string text;
  add_line(text, "id", to_text(task.id));
  add_line(text, "queue", printable(task.queue));
  std::string state(name_of(task.state));
  if (task.reason != Reason::none) state += " (" + std::string(name_of(task.reason)) + ")";
  if (task.cancel_requested && !is_terminal(task.state)) state += ", cancel requested";
  add_line(text, "state", state);
  add_line(text, "attempts",
           std::to_string(task.attempts) + " of " + std::to_string(task.max_attempts));
  add_line(text, "priority", std::to_string(task.priority));
  add_line(text, "worker", printable(task.worker));
  if (task.progress_percent > 0) {
    add_line(text, "progress", std::to_string(task.progress_percent) + " %");
  }
  add_line(text, "accepted", moment_text(task.accepted, now));
  add_line(text, "due", moment_text(task.due, now));
  add_line(text, "expires", moment_text(task.expires, now));
  add_line(text, "ended", moment_text(task.ended, now));
  if (task.timeout > Duration()) add_line(text, "timeout", to_text(task.timeout));
  add_line(text, "error", printable(task.error));
  if (!task.spec.empty()) add_spec(text, task.spec);
  add_line(text, "result", printable(task.result.text(), kPayloadWidthMax));
  for (const AttemptRecord& record : task.attempt_records) {
    add_line(text, "attempt " + std::to_string(record.attempt),
             std::string(name_of(record.reason)) + " on " + printable(record.worker) + " after " +
                 age_text(record.ended - record.started) + ": " + printable(record.error));
  }
  return text;
}

int run_task_list(CommandContext& context, const TaskFilter& filter, std::uint64_t limit,
                  bool json) {
  int exit_code = 0;
  std::optional<client::Client> client = context.connect(exit_code);
  if (!client) return exit_code;
  const host::Clock clock;
  Table table({{"ID"},
               {"QUEUE"},
               {"STATE"},
               {"PRIORITY", Align::right},
               {"ATTEMPTS", Align::right},
               {"AGE", Align::right},
               {"NOTE"}},
              wants_colour(stdout));
  std::uint64_t cursor = 0;
  std::uint64_t listed = 0;
  do {
    const auto page =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(kPageTasks, limit - listed));
    const Result<TaskList> list = client->list(filter, cursor, page);
    if (!list) return context.fail(list.error());
    for (const TaskView& task : list->tasks) {
      if (json) {
        print_line(json::dump(task_view_json(task)));
      } else {
        table.add(row_of(task, clock.now()));
      }
    }
    listed += list->tasks.size();
    cursor = list->next_cursor;
  } while (cursor != 0 && listed < limit && context.may_proceed());
  if (!json && !table.empty()) std::fputs(table.text().c_str(), stdout);
  if (!json && table.empty()) context.complain("no tasks");
  if (cursor != 0) context.complain("there are more; see --limit and --all");
  return context.finish(host::ExitCode::done);
}

}  // namespace millrace::cli
