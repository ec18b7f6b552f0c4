#include "broker/core/ready_queue.h"

#include <algorithm>
#include <iterator>

namespace millrace::broker {
namespace {

// How far the tasks ahead of one are counted one by one, from either end of a lane.
constexpr std::uint64_t kCountedMost = 1'000;

// The share of `count` tasks that a sequence has passed on its way from the first to the last.
std::uint64_t interpolated(std::uint64_t count, TaskSequence first, TaskSequence at,
                           TaskSequence last) {
  const auto passed = static_cast<double>(at.value - first.value);
  const auto whole = static_cast<double>(last.value - first.value);
  return static_cast<std::uint64_t>(static_cast<double>(count) * passed / whole);
}

ReadyQueue::Ahead ahead_in_fifo(const TaskTable& tasks, const TaskChain& fifo, TaskSequence at) {
  if (fifo.count == 0 || tasks[fifo.head].sequence >= at) return {};
  if (tasks[fifo.tail].sequence < at) return {fifo.count, false};
  TaskIndex front = fifo.head;
  TaskIndex back = fifo.tail;
  for (std::uint64_t counted = 1; counted <= kCountedMost; ++counted) {
    front = tasks[front].next;
    if (tasks[front].sequence >= at) return {counted, false};
    back = tasks[back].previous;
    if (tasks[back].sequence < at) return {fifo.count - counted, false};
  }
  return {interpolated(fifo.count, tasks[fifo.head].sequence, at, tasks[fifo.tail].sequence), true};
}

using Returned = std::set<std::pair<TaskSequence, TaskIndex>>;
ReadyQueue::Ahead ahead_in_returned(const Returned& returned, TaskSequence at) {
  if (returned.empty() || returned.begin()->first >= at) return {};
  if (returned.rbegin()->first < at) return {returned.size(), false};
  auto front = returned.begin();
  auto back = std::prev(returned.end());
  for (std::uint64_t counted = 1; counted <= kCountedMost; ++counted) {
    if ((++front)->first >= at) return {counted, false};
    if ((--back)->first < at) return {returned.size() - counted, false};
  }
  return {interpolated(returned.size(), returned.begin()->first, at, returned.rbegin()->first),
          true};
}

}  // namespace

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

ReadyQueue::Ahead ReadyQueue::ahead_in(const TaskTable& tasks, const Lane& lane,
                                       TaskSequence sequence) {
  const Ahead fifo = ahead_in_fifo(tasks, lane.fifo, sequence);
  const Ahead returned = ahead_in_returned(lane.returned, sequence);
  return {fifo.count + returned.count, fifo.is_estimate || returned.is_estimate};
}

ReadyQueue::Ahead ReadyQueue::ahead_of(const TaskTable& tasks, TaskIndex index) const {
  const Task& task = tasks[index];
  const std::uint8_t priority = tasks.terms_of(task).priority;
  Ahead ahead = ahead_in(tasks, *lanes_[priority], task.sequence);
  for (std::size_t higher = priority + std::size_t{1}; higher < kPriorities; ++higher) {
    if (lanes_[higher] != nullptr) ahead.count += lanes_[higher]->size();
  }
  return ahead;
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
