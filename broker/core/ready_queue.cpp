#include "broker/core/ready_queue.h"

#include <algorithm>

namespace millrace::broker {

void ReadyQueue::insert(TaskTable& tasks, TaskIndex index) {
  Task& task = tasks[index];
  std::unique_ptr<Lane>& lane = lanes_[tasks.terms_of(task).priority];
  if (lane == nullptr) lane = std::make_unique<Lane>();
  const bool in_order = lane->fifo.count == 0 || tasks[lane->fifo.tail].sequence < task.sequence;
  if (in_order) {
    tasks.append(lane->fifo, index);
  } else {
    lane->returned.emplace(task.sequence, index);
    task.in_returned = true;
  }
  ++size_;
}

void ReadyQueue::remove(TaskTable& tasks, TaskIndex index) {
  Task& task = tasks[index];
  std::unique_ptr<Lane>& lane = lanes_[tasks.terms_of(task).priority];
  MILLRACE_CHECK(lane != nullptr, "a waiting task has a lane");
  if (task.in_returned) {
    const std::size_t erased = lane->returned.erase({task.sequence, index});
    MILLRACE_CHECK(erased == 1, "a returned task is in the set");
    task.in_returned = false;
  } else {
    tasks.remove(lane->fifo, index);
  }
  --size_;
}

TaskIndex ReadyQueue::head_of(const TaskTable& tasks, const Lane& lane) {
  if (lane.returned.empty()) return lane.fifo.head;
  if (lane.fifo.count == 0) return lane.returned.begin()->second;
  const bool fifo_first = tasks[lane.fifo.head].sequence < lane.returned.begin()->first;
  return fifo_first ? lane.fifo.head : lane.returned.begin()->second;
}

TaskIndex ReadyQueue::first(const TaskTable& tasks, Time now, Duration aging_interval) const {
  TaskIndex best;
  std::int64_t best_rank = -1;
  for (std::size_t priority = kPriorities; priority-- > 0;) {
    const Lane* lane = lanes_[priority].get();
    if (lane == nullptr || lane->empty()) continue;
    const TaskIndex head = head_of(tasks, *lane);
    auto rank = static_cast<std::int64_t>(priority);
    if (aging_interval > Duration()) {
      const Duration waited = std::max(now - tasks[head].moment, Duration());
      rank += waited.in_nanoseconds() / aging_interval.in_nanoseconds();
    }
    if (rank > best_rank) {
      best_rank = rank;
      best = head;
    }
  }
  return best;
}

TaskIndex ReadyQueue::oldest(const TaskTable& tasks) const {
  TaskIndex oldest;
  for (const auto& lane : lanes_) {
    if (lane == nullptr || lane->empty()) continue;
    const TaskIndex head = head_of(tasks, *lane);
    if (oldest.is_none() || tasks[head].moment < tasks[oldest].moment) oldest = head;
  }
  return oldest;
}

}  // namespace millrace::broker
