// Tasks by the time of their one timer: a binary heap with positions, so that a timer is moved or
// removed in O(log n) and leaves nothing behind. Not thread-safe.
#pragma once

#include <vector>

#include "broker/core/task_table.h"

namespace millrace::broker {

class DeadlineHeap {
 public:
  explicit DeadlineHeap(TaskTable& tasks) : tasks_(tasks) {}

  // Sets the task's timer; it must be in no heap.
  void add(TaskIndex index, Time at);
  // Does nothing when the task is in no heap. The task must not be in another heap.
  void remove(TaskIndex index);
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  // The earliest; requires !empty(). Equal times come in order of sequence.
  TaskIndex first() const { return heap_.front(); }
  Time first_time() const { return empty() ? Time::never() : tasks_[first()].timer; }
  // Where the task stands; for the invariants.
  bool contains(TaskIndex index) const {
    const std::uint32_t position = tasks_[index].timer_position;
    return position != 0 && position <= heap_.size() && heap_[position - 1] == index;
  }
  // No task is earlier than its parent; for the invariants.
  bool is_ordered() const;

 private:
  bool before(TaskIndex a, TaskIndex b) const;
  void put(std::size_t at, TaskIndex index);
  void sift_up(std::size_t at);
  void sift_down(std::size_t at);

  TaskTable& tasks_;
  std::vector<TaskIndex> heap_;
};

}  // namespace millrace::broker
