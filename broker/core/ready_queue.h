// The order of the tasks of one queue that may run now: priority, then acceptance, with aging so
// that nobody starves. Not thread-safe.
#pragma once

#include <array>
#include <memory>
#include <set>
#include <utility>

#include "broker/core/task_table.h"

namespace millrace::broker {

class ReadyQueue {
 public:
  // `task` must be pending and in no list. O(1) when it was accepted after all that wait in its
  // priority, else O(log n) of those that came back (retries, hand-backs, due tasks).
  void insert(TaskTable& tasks, TaskIndex index);
  // Takes a waiting task out. O(1) or O(log n) as above.
  void remove(TaskTable& tasks, TaskIndex index);
  // The task to run next; none when empty. A task gains one priority for each full `aging_interval`
  // it has waited (zero: never), so a head of a lower priority overtakes in time.
  TaskIndex first(const TaskTable& tasks, Time now, Duration aging_interval) const;
  std::uint64_t size() const { return size_; }
  // The pending task that has waited longest among the heads; none when empty. For status only.
  TaskIndex oldest(const TaskTable& tasks) const;

  struct Ahead {
    std::uint64_t count = 0;
    bool is_estimate = false;
  };
  // How many would run before this waiting task, by priority and acceptance alone. Looks at a
  // bounded number of tasks: what lies deep in a long lane is placed by its sequence.
  Ahead ahead_of(const TaskTable& tasks, TaskIndex index) const;

  // Calls `visit(index, priority)` for each waiting task, by priority from 0, in order within one.
  template <class Visit>
  void for_each(const TaskTable& tasks, Visit visit) const {
    for (std::size_t priority = 0; priority < kPriorities; ++priority) {
      const Lane* lane = lanes_[priority].get();
      if (lane == nullptr) continue;
      for (TaskIndex at = lane->fifo.head; !at.is_none(); at = tasks[at].next) visit(at, priority);
      for (const auto& entry : lane->returned) visit(entry.second, priority);
    }
  }

 private:
  // One priority. Most tasks arrive in order and stand in the fifo; those that come back out of
  // order stand in the set.
  struct Lane {
    TaskChain fifo;
    std::set<std::pair<TaskSequence, TaskIndex>> returned;
    bool empty() const { return size() == 0; }
    std::uint64_t size() const { return fifo.count + returned.size(); }
  };
  static Ahead ahead_in(const TaskTable& tasks, const Lane& lane, TaskSequence sequence);
  static TaskIndex head_of(const TaskTable& tasks, const Lane& lane);

  std::array<std::unique_ptr<Lane>, kPriorities> lanes_;
  std::uint64_t size_ = 0;
};

}  // namespace millrace::broker
