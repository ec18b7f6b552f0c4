// Cancels, requeues or forgets what a filter means, a bounded step at a time: whoever asks comes
// again with the cursor, at a pace of its own.
#include <algorithm>

#include "broker/core/broker_core.h"

namespace millrace::broker {
namespace {

// Tasks looked at for each one that may change: most may not be meant.
constexpr std::uint64_t kLooksPerChange = 10;

bool can_change(TaskAction action, TaskState state) {
  switch (action) {
    case TaskAction::cancel:
      return !is_terminal(state);
    case TaskAction::requeue:
      return state == TaskState::dead;
    case TaskAction::forget:
      return is_terminal(state);
  }
  return false;
}

}  // namespace

bool BrokerCore::is_meant(const Task& task, const TaskFilter& filter, QueueNumber queue) const {
  const TaskTerms& terms = tasks_.terms_of(task);
  if (!is_in_scope(terms.queue) || (!queue.is_none() && terms.queue != queue)) return false;
  if (filter.state != TaskState{0} && task.state != filter.state) return false;
  if (filter.reason != Reason::none && task.reason != filter.reason) return false;
  if (terms.priority < filter.priority_least || terms.priority > filter.priority_most) return false;
  if (task.accepted < filter.accepted_after) return false;
  return filter.accepted_before.is_none() || task.accepted < filter.accepted_before;
}

// The cursor is a task index, as that of ListTasks.
void BrokerCore::on(ClientIndex client, ChangeTasks& message, Time now, Effects& out) {
  const PeerId peer = clients_[client].peer;
  const QueueNumber queue = queues_.find(message.filter.queue);
  const bool is_known = !queue.is_none() && is_in_scope(queue);
  if (!is_known && !message.filter.queue.empty()) {
    out.sends.push_back(refusal_of_queue(peer, message.request, message.filter.queue));
    return;
  }
  const std::uint64_t most = settings_.request_work_max;
  const std::uint64_t limit =
      message.limit == 0 ? most : std::min<std::uint64_t>(message.limit, most);
  TasksChanged answer{message.request, 0, 0};
  std::uint64_t at = std::max<std::uint64_t>(message.cursor, 1);
  const std::uint64_t end = tasks_.end_index();
  std::uint64_t looks = most * kLooksPerChange;
  for (; at < end && looks > 0 && answer.count < limit; ++at, --looks) {
    const TaskIndex index(static_cast<std::uint32_t>(at));
    const Task& task = tasks_[index];
    if (!task.exists || !can_change(message.action, task.state)) continue;
    if (!is_meant(task, message.filter, queue)) continue;
    if (change_one(message.action, index, now, out)) ++answer.count;
  }
  answer.next_cursor = at < end ? at : 0;
  out.sends.push_back(ToClient{peer, answer});
}

// False when the task was cancelled before and only waits for its worker.
bool BrokerCore::change_one(TaskAction action, TaskIndex index, Time now, Effects& out) {
  switch (action) {
    case TaskAction::cancel: {
      const bool is_new = !tasks_[index].cancel_requested;
      cancel_task(index, now, out);
      return is_new;
    }
    case TaskAction::requeue:
      requeue(index, now, out);
      return true;
    case TaskAction::forget:
      prune(index, out);
      return true;
  }
  return false;
}

}  // namespace millrace::broker
