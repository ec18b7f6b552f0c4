// Follows what the broker writes and decides, and checks it turn by turn: the books (P5), the order
// of dispatch (P9), no early start (P13).
#pragma once

#include <array>
#include <map>
#include <set>
#include <vector>

#include "broker/core/broker_core.h"
#include "tests/simulation/plan.h"
#include "tests/simulation/task_facts.h"
#include "tests/simulation/world.h"

namespace millrace::simulation {

class Books {
 public:
  Books(World& world, const Plan& plan, TaskRegister& tasks)
      : world_(world), plan_(plan), tasks_(tasks) {}

  // A restart: forgets everything and counts anew what the store holds.
  void begin_load(const broker::Totals& totals);
  void load(const broker::TaskRecord& record);
  void end_load();

  // A turn: what it writes and sends, at `now` of the broker's clock, and its totals after it.
  void decide(const broker::Effects& effects, Time now, const broker::Totals& totals);
  bool all_ended() const;
  std::uint64_t in_state(TaskState state) const { return by_state_[index_of(state)]; }
  const broker::Totals& totals() const { return totals_; }

 private:
  using QueueNumber = broker::QueueNumber;
  using Lane = std::pair<QueueNumber, std::uint8_t>;  // a queue and a priority
  struct Entry {
    bool exists = false;
    bool fresh = false;  // never given out and never delayed
    TaskState state = TaskState::pending;
    QueueNumber queue;
    std::uint8_t priority = 0;
    Time accepted;
  };

  void put(const broker::TaskRecord& record);
  void remove(Entry& entry, std::uint64_t sequence);
  void check_dispatches(const broker::Effects& effects, Time now);
  void check_not_early(const TaskFacts& facts, const Entry& entry, Time now);
  void check_order(const std::map<Lane, std::uint64_t>& newest_fresh,
                   const std::map<QueueNumber, std::uint8_t>& lowest_priority);
  void check_totals(const broker::Totals& totals, const char* when);

  World& world_;
  const Plan& plan_;
  TaskRegister& tasks_;
  std::vector<Entry> entries_;  // by sequence
  std::set<TaskId> ids_;
  std::array<std::uint64_t, kTaskStates> by_state_{};
  std::map<Lane, std::set<std::uint64_t>> fresh_;
  std::map<QueueNumber, std::array<std::uint64_t, kPriorities>> pending_;
  broker::Totals totals_;
  Time last_clock_;  // of the broker
};

}  // namespace millrace::simulation
