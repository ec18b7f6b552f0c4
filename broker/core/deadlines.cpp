#include "broker/core/deadlines.h"

namespace millrace::broker {

void DeadlineHeap::put(std::size_t at, const Entry& entry) {
  heap_[at] = entry;
  tasks_[entry.index].timer_position = static_cast<std::uint32_t>(at + 1);
}

void DeadlineHeap::add(TaskIndex index, Time at) {
  const Task& task = tasks_[index];
  MILLRACE_CHECK(task.timer_position == 0, "a task has one timer");
  heap_.push_back(Entry{at, task.sequence, index});
  sift_up(heap_.size() - 1);
}

void DeadlineHeap::remove(TaskIndex index) {
  Task& task = tasks_[index];
  if (task.timer_position == 0) return;
  const std::size_t at = task.timer_position - 1;
  MILLRACE_CHECK(at < heap_.size() && heap_[at].index == index,
                 "a timer is removed from its own heap");
  task.timer_position = 0;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (last.index == index) return;
  heap_[at] = last;
  sift_up(at);
  sift_down(tasks_[last.index].timer_position - 1);
}

void DeadlineHeap::sift_up(std::size_t at) {
  const Entry moving = heap_[at];
  while (at > 0) {
    const std::size_t parent = (at - 1) / 2;
    if (!before(moving, heap_[parent])) break;
    put(at, heap_[parent]);
    at = parent;
  }
  put(at, moving);
}

void DeadlineHeap::sift_down(std::size_t at) {
  const Entry moving = heap_[at];
  const std::size_t from = at;
  while (true) {
    std::size_t child = at * 2 + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], moving)) break;
    put(at, heap_[child]);
    at = child;
  }
  if (at != from) put(at, moving);
}

bool DeadlineHeap::is_ordered() const {
  for (std::size_t at = 1; at < heap_.size(); ++at) {
    if (before(heap_[at], heap_[(at - 1) / 2])) return false;
  }
  return true;
}

}  // namespace millrace::broker
