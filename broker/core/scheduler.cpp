// Who gets what: late binding by credit. Idle slots are filled first, over all groups of workers;
// only then are tasks given ahead of a free slot, and those are called back when another worker
// idles.
#include <algorithm>

#include "broker/core/broker_core.h"

namespace millrace::broker {

void BrokerCore::assign(Time now, Effects& out) {
  assign_pass(false, now, out);
  assign_pass(true, now, out);
}

// Group by group, a bounded portion at a time, until none can be served any more.
void BrokerCore::assign_pass(bool prefetch, Time now, Effects& out) {
  bool progress = true;
  while (progress) {
    progress = false;
    const std::vector<GroupIndex> groups(workers_.matchable().begin(), workers_.matchable().end());
    for (const GroupIndex index : groups) {
      if (serve_group(index, prefetch, now, out)) progress = true;
    }
  }
}

// Gives the freest worker of the group a portion from the group's next queue.
bool BrokerCore::serve_group(GroupIndex index, bool prefetch, Time now, Effects& out) {
  Group& group = workers_.group(index);
  if (!group.is_matchable()) return false;
  const WorkerIndex worker_index = std::get<2>(*group.available.begin());
  Worker& worker = workers_[worker_index];
  std::uint32_t room = worker.credit - worker.held();
  if (prefetch) {
    room = std::min(room, settings_.prefetch_quantum);
  } else {
    if (!worker.has_idle_slot()) return false;
    room = std::min(room, worker.slots - worker.held());
  }
  Queue& queue = queues_[workers_.next_queue(group)];
  worker.last_dispatch = ++dispatches_;
  for (; room > 0 && queue.ready.size() > 0; --room) {
    lease(queue.ready.first(tasks_, now, settings_.aging_interval), worker_index, now, out);
  }
  workers_.refile(worker_index);
  return true;
}

void BrokerCore::lease(TaskIndex index, WorkerIndex worker_index, Time now, Effects& out) {
  make_in_progress(index, worker_index, now);
  queues_[tasks_.terms_of(tasks_[index]).queue].starts.note(now);
  Worker& worker = workers_[worker_index];
  if (worker.dispatch_slot == 0) {
    out.sends.push_back(DispatchToWorker{worker.peer, {}});
    worker.dispatch_slot = static_cast<std::uint32_t>(out.sends.size());
    dispatched_to_.push_back(worker_index);
  }
  const Task& task = tasks_[index];
  const TaskTerms& terms = tasks_.terms_of(task);
  DispatchToWorker::Item item;
  item.sequence = task.sequence;
  item.task.task = task.id;
  item.task.fence = task.fence();
  item.task.attempt = task.attempts;
  item.task.max_attempts = terms.max_attempts;
  item.task.timeout = terms.timeout;
  item.task.queue = queues_[terms.queue].name;
  std::get<DispatchToWorker>(out.sends[worker.dispatch_slot - 1]).items.push_back(std::move(item));
}

// After assign, a group whose freest worker has an idle slot has no work of its own left. What
// others hold ahead of their slots, in queues that it serves, is asked back: one recall a worker at
// a time, half of what it holds ahead, and no more than the idle ones would take.
void BrokerCore::recall_for_idle(Effects& out) {
  for (const GroupIndex idle : workers_.with_idle_slot()) {
    for (const GroupIndex from : workers_.with_surplus()) {
      recall_from(from, workers_.group(idle), out);
    }
  }
}

void BrokerCore::recall_from(GroupIndex from, const Group& idle_group, Effects& out) {
  const Group& group = workers_.group(from);
  const WorkerIndex index = group.surplus.rbegin()->second;
  Worker& worker = workers_[index];
  if (worker.recall_number != 0 || worker.parked) return;
  const std::uint64_t most = workers_.idle_room(idle_group, (worker.surplus() + 1) / 2);
  Recall recall;
  // From the end: the last dispatched will start last.
  std::uint64_t looked = 0;
  for (TaskIndex at = worker.leases.tail; looked < worker.surplus();
       at = tasks_[at].previous, ++looked) {
    const Task& task = tasks_[at];
    const QueueNumber queue = tasks_.terms_of(task).queue;
    const bool served =
        std::binary_search(idle_group.queues.begin(), idle_group.queues.end(), queue) &&
        !queues_[queue].paused;
    if (served && recall.tasks.size() < most) recall.tasks.push_back({task.id, task.fence()});
  }
  if (recall.tasks.empty()) return;
  recall.recall_number = ++recalls_;
  worker.recall_number = recall.recall_number;
  out.sends.push_back(ToWorker{worker.peer, std::move(recall)});
}

}  // namespace millrace::broker
