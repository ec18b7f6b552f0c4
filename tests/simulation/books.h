// A model of the store, fed with what the broker writes: each change of a task must be one that the
// life of a task allows, whatever belongs together must be written together, and the books must
// balance (P1 to P5, P11, P20, P21).
#pragma once

#include <array>
#include <map>
#include <set>
#include <vector>

#include "broker/core/broker_core.h"
#include "broker/store/store.h"
#include "tests/simulation/task_facts.h"
#include "tests/simulation/world.h"

namespace millrace::simulation {

class Books {
 public:
  // A task as it was written last.
  struct Entry {
    bool exists = false;
    bool fresh = false;  // never given out and never delayed
    broker::TaskRecord record;
  };

  Books(World& world, TaskRegister& tasks) : world_(world), tasks_(tasks) {}

  // A restart: forgets everything and counts anew what the store holds.
  void begin_load(const broker::Totals& totals);
  void load(const broker::StoredQueue& queue) { paused_[queue.queue] = queue.paused; }
  void load(const broker::TaskRecord& record);
  void end_load();

  // What a turn writes, at `now` of the broker's clock, and its totals after it. `accepting`: the
  // core knows of room for new tasks.
  void write(const broker::Effects& effects, Time now, const broker::Totals& totals,
             bool accepting);

  bool all_ended() const;
  std::uint64_t in_state(TaskState state) const { return by_state_[index_of(state)]; }
  // Of a task that was never written: one that does not exist.
  const Entry& entry(TaskSequence sequence) const;
  bool is_paused(broker::QueueNumber queue) const;
  // The first fresh task of a queue and priority that waits, by sequence; 0: none.
  std::uint64_t first_fresh(broker::QueueNumber queue, std::uint8_t priority) const;
  std::uint64_t pending(broker::QueueNumber queue, std::uint8_t priority) const;
  // The latest the broker's clock has shown.
  Time last_clock() const { return last_clock_; }

 private:
  using Lane = std::pair<broker::QueueNumber, std::uint8_t>;  // a queue and a priority
  // What a turn writes beside the records.
  struct Parts {
    std::set<TaskSequence> specs;
    std::set<TaskSequence> results;
    std::set<TaskSequence> fresh_histories;
    std::map<TaskSequence, Reason> failed;
  };

  Parts parts_of(const broker::Effects& effects);
  void put(const broker::TaskRecord& record, const Parts* parts);
  void uncount(const Entry& entry);
  void count(const Entry& entry);
  void erase(TaskSequence sequence);
  void judge_new(const TaskFacts& facts, const broker::TaskRecord& record, const Parts& parts);
  void judge_change(const TaskFacts& facts, const broker::TaskRecord& before,
                    const broker::TaskRecord& after, const Parts& parts);
  void judge_end(const TaskFacts& facts, const broker::TaskRecord& before,
                 const broker::TaskRecord& after);
  void judge_retry(const TaskFacts& facts, const broker::TaskRecord& after, Reason reason);
  void check_totals(const broker::Totals& totals, const char* when);

  World& world_;
  TaskRegister& tasks_;
  Entry nothing_;
  std::vector<Entry> entries_;  // by sequence
  std::set<TaskId> ids_;
  std::array<std::uint64_t, kTaskStates> by_state_{};
  std::map<Lane, std::set<std::uint64_t>> fresh_;
  std::map<broker::QueueNumber, std::array<std::uint64_t, kPriorities>> pending_;
  std::map<broker::QueueNumber, bool> paused_;
  broker::Totals written_totals_;
  Time now_;
  Time last_clock_;
};

}  // namespace millrace::simulation
