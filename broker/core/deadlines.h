// Tasks by the time of their one timer: a binary heap with positions, so that a timer is moved or
// removed in O(log n) and leaves nothing behind. The entries hold what they are ordered by: a task
// is touched only when its place changes. Not thread-safe.
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
  TaskIndex first() const { return heap_.front().index; }
  Time first_time() const { return empty() ? Time::never() : heap_.front().at; }
  // The task's; requires contains(index).
  Time time_of(TaskIndex index) const { return heap_[tasks_[index].timer_position - 1].at; }
  // Where the task stands.
  bool contains(TaskIndex index) const {
    const std::uint32_t position = tasks_[index].timer_position;
    return position != 0 && position <= heap_.size() && heap_[position - 1].index == index;
  }
  // No task is earlier than its parent; for the invariants.
  bool is_ordered() const;

 private:
  struct Entry {
    Time at;
    TaskSequence sequence;
    TaskIndex index;
  };
  static bool before(const Entry& a, const Entry& b) {
    return a.at != b.at ? a.at < b.at : a.sequence < b.sequence;
  }
  void put(std::size_t at, const Entry& entry);
  void sift_up(std::size_t at);
  void sift_down(std::size_t at);

  TaskTable& tasks_;
  std::vector<Entry> heap_;
};

}  // namespace millrace::broker
