#include "common/base/task_history.h"

#include <algorithm>

namespace millrace {
namespace {

void add_attempt(const AttemptRecord& record, std::vector<HistoryEntry>& entries) {
  entries.push_back({record.started, "leased", record.attempt, record.fence, record.worker, ""});
  entries.push_back({record.ended, name_of(record.reason), record.attempt, record.fence,
                     record.worker, record.error});
}

std::string reason_of(const TaskView& task) {
  return task.reason == Reason::none ? std::string() : std::string(name_of(task.reason));
}

}  // namespace

std::vector<HistoryEntry> history_of(const Explained& explained) {
  const TaskView& task = explained.task;
  std::vector<HistoryEntry> entries;
  entries.push_back({task.accepted, "accepted", 0, Fence(), "", ""});
  std::uint64_t leases_kept = 0;
  bool newest_kept = false;
  for (const AttemptRecord& record : task.attempt_records) {
    ++leases_kept;
    newest_kept = newest_kept || record.fence == task.fence;
  }
  // A task that ended or runs tells of its newest lease itself; unless an attempt does.
  const bool newest_known = !newest_kept && !explained.started.is_none();
  if (newest_known) ++leases_kept;
  if (task.fence.value > leases_kept) {
    const std::uint64_t lost = task.fence.value - leases_kept;
    entries.push_back({Time(), "leases_not_kept", 0, Fence(), "",
                       std::to_string(lost) + " handed back unstarted, or before a requeue"});
  }
  for (const AttemptRecord& record : task.attempt_records) add_attempt(record, entries);
  if (newest_known) {
    entries.push_back({explained.started, "leased", task.attempts, task.fence, task.worker, ""});
  }
  if (task.cancel_requested && !is_terminal(task.state)) {
    entries.push_back({Time(), "cancel_requested", task.attempts, task.fence, task.worker, ""});
  }
  if (is_terminal(task.state)) {
    const bool ran = newest_known || newest_kept;
    entries.push_back({task.ended, name_of(task.state), ran ? task.attempts : std::uint16_t{0},
                       ran ? task.fence : Fence(), ran ? task.worker : "", reason_of(task)});
  }
  return entries;
}

}  // namespace millrace
