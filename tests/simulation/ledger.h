// The execution ledger and the liveness of workers: fences (P3), attempts (P4), nobody takes a task
// from a live worker (P6, P7).
#pragma once

#include <map>
#include <optional>

#include "broker/core/core_settings.h"
#include "tests/simulation/task_facts.h"
#include "tests/simulation/world.h"

namespace millrace::simulation {

class Ledger {
 public:
  Ledger(World& world, TaskRegister& tasks) : world_(world), tasks_(tasks) {}

  // ---- the broker's side
  void broker_starts(Duration grace);
  // Before each turn: `gap` since the last.
  void broker_turns(Duration gap, const broker::CoreSettings& settings);
  void said_hello(const WorkerId& worker);
  void heard(const WorkerId& worker);

  // The broker's waking time: without what it takes for a stall of its own.
  Duration awake() const { return awake_; }
  // For how long of that time the broker has not heard of the worker.
  Duration silence_of(const WorkerId& worker) const;

  // ---- the worker's side
  void process_starts(const WorkerId& worker) { processes_[worker] = Process(); }
  void process_ends(const WorkerId& worker);
  // Its word may be lost from now on, for `length` and some time after.
  void disturbed(const WorkerId& worker, Duration length);

  void attempt_starts(const WorkerId& worker, const DispatchedTask& task);
  void attempt_ends(const HeldLease& lease);
  void attempt_stopped(const HeldLease& lease, StopCause cause);
  // True: not for the first time.
  bool reported(const Completion& completion);
  void answered(const CompletionAnswer& answer);

 private:
  struct Process {
    bool alive = true;
    Time quiet_since;  // leases given after it are undisturbed
    std::optional<Time> hello_due;
    Duration heard;  // on the broker's waking time
  };

  // The worker has done all it must to keep this lease.
  bool is_entitled(const Start& start) const;
  void check_attempts(const TaskFacts& facts);

  World& world_;
  TaskRegister& tasks_;
  std::map<WorkerId, Process> processes_;
  Duration awake_;  // the broker's waking time
  Duration silence_max_ = Duration::seconds(3);
};

}  // namespace millrace::simulation
