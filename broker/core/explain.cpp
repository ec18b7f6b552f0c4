// Why a task does not run, or where it runs, or how it ended: read off the indexes, at a cost that
// does not grow with the number of tasks.
#include <algorithm>

#include "broker/core/broker_core.h"
#include "broker/core/explain_text.h"

namespace millrace::broker {
namespace {

// Leases of one worker that are looked at to tell a running task from one given ahead.
constexpr std::uint64_t kLeasesLookedAtMost = 1'000;

}  // namespace

void BrokerCore::on(ClientIndex client, Explain& message, Time, Effects& out) {
  const PeerId peer = clients_[client].peer;
  if (find_for_client(message.task).is_none()) {
    out.sends.push_back(refusal_of_task(peer, message));
    return;
  }
  asked_to_explain_.push_back({peer, message});
}

ToClient BrokerCore::refusal_of_task(PeerId peer, const Explain& message) {
  return {peer, Refused{message.request, ErrorCode::not_found,
                        "no task " + to_text(message.task) +
                            ": never accepted here, or forgotten after its retention",
                        Duration()}};
}

// At the end of a turn: what could start has started.
void BrokerCore::explain_all(Time now, Effects& out) {
  for (const auto& [peer, message] : asked_to_explain_) {
    const TaskIndex index = tasks_.find(message.task);
    if (index.is_none()) {  // forgotten in this very turn
      out.sends.push_back(refusal_of_task(peer, message));
      continue;
    }
    const Task& task = tasks_[index];
    ExplainedToClient answer;
    answer.peer = peer;
    answer.explained = explain(index, now);
    answer.explained.request = message.request;
    answer.attempt_records = task.attempt_records;
    answer.read_last_lease = is_terminal(task.state) && task.last_fence > 0;
    out.sends.push_back(std::move(answer));
  }
  asked_to_explain_.clear();
}

Explained BrokerCore::explain(TaskIndex index, Time now) const {
  const Task& task = tasks_[index];
  Explained e;
  e.task = view_of(index);
  const Queue& queue = queues_[tasks_.terms_of(task).queue];
  for (const GroupIndex group : queue.groups) e.workers += workers_.group(group).members;
  switch (task.state) {
    case TaskState::delayed:
      e.standing = task.reason == Reason::none ? TaskStanding::delayed : TaskStanding::retry_wait;
      e.until = task.moment;
      break;
    case TaskState::pending:
      e.standing = standing_in(queue);
      e.since = task.moment;
      place_in_line(index, queue, now, e);
      break;
    case TaskState::in_progress:
      e.standing = standing_on_worker(index);
      e.since = task.moment;
      e.started = task.moment;
      e.until = leases_.time_of(index) + stalled_;
      break;
    case TaskState::dead:
      e.standing = TaskStanding::dead;
      break;
    case TaskState::succeeded:
      e.standing = TaskStanding::succeeded;
      break;
    case TaskState::cancelled:
      e.standing = TaskStanding::cancelled;
      break;
    case TaskState::expired:
      e.standing = TaskStanding::expired;
      break;
  }
  if (is_terminal(task.state)) {
    e.since = task.moment;
    if (due_.contains(index)) e.until = due_.time_of(index);
  }
  e.text = explanation_text(e, now);
  return e;
}

// What keeps the pending tasks of a queue from starting.
TaskStanding BrokerCore::standing_in(const Queue& queue) const {
  if (stopping_) return TaskStanding::broker_stopping;
  if (queue.paused) return TaskStanding::queue_paused;
  if (queue.groups.empty()) return TaskStanding::no_worker;
  bool full = false;
  bool unreachable = false;
  for (const auto& [id, worker_index] : workers_.by_id()) {
    const Worker& worker = workers_[worker_index];
    if (!std::binary_search(queue.groups.begin(), queue.groups.end(), worker.group)) continue;
    if (worker.draining) continue;
    full = full || !worker.parked;
    unreachable = unreachable || worker.parked;
  }
  if (full) return TaskStanding::workers_full;
  return unreachable ? TaskStanding::workers_unreachable : TaskStanding::workers_draining;
}

void BrokerCore::place_in_line(TaskIndex index, const Queue& queue, Time now, Explained& e) const {
  const ReadyQueue::Ahead ahead = queue.ready.ahead_of(tasks_, index);
  e.ahead = ahead.count;
  // Whoever has waited for an interval may have overtaken by its age.
  const Duration aging = settings_.aging_interval;
  const TaskIndex oldest = queue.ready.oldest(tasks_);
  const bool aged = aging > Duration() && now - tasks_[oldest].moment >= aging;
  e.ahead_is_estimate = ahead.is_estimate || aged;
  if (e.standing == TaskStanding::workers_full) {
    e.wait = queue.starts.time_for(ahead.count + 1, now);
  }
}

TaskStanding BrokerCore::standing_on_worker(TaskIndex index) const {
  const Task& task = tasks_[index];
  if (task.cancel_requested) return TaskStanding::cancelling;
  if (task.worker().is_none()) return TaskStanding::worker_awaited;
  const Worker& worker = workers_[task.worker()];
  if (worker.surplus() == 0) return TaskStanding::running;
  // The first dispatched run first; of the others some may run, when earlier ones have ended
  // without the broker having heard so yet.
  TaskIndex at = worker.leases.head;
  const std::uint64_t looks = std::min<std::uint64_t>(worker.slots, kLeasesLookedAtMost);
  for (std::uint64_t looked = 0; looked < looks; ++looked, at = tasks_[at].next) {
    if (at == index) return TaskStanding::running;
  }
  return looks == worker.slots ? TaskStanding::given_ahead : TaskStanding::running;
}

}  // namespace millrace::broker
