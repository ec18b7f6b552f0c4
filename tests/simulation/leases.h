// Every lease the broker has given and not ended: one holder a task (P3), no more than a worker
// asked for, and none kept for longer than its worker's silence, its timeout or the grace after a
// restart allow (P6).
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker/core/core_settings.h"
#include "broker/core/effect.h"
#include "tests/simulation/ledger.h"

namespace millrace::simulation {

class Leases {
 public:
  Leases(World& world, TaskRegister& tasks, const Ledger& ledger)
      : world_(world), tasks_(tasks), ledger_(ledger) {}

  // A new process: what it finds in progress waits for its worker.
  void broker_starts(const broker::CoreSettings& settings);
  void load(const broker::TaskRecord& record);
  // From now on it takes up nobody, so the grace of what waits for its worker does not pass.
  void broker_stops() { stopping_ = true; }
  // What a worker says, before the core hears it.
  void hear(PeerId peer, const WorkerMessage& message);
  // After each turn.
  void decide(const broker::Effects& effects);

 private:
  struct Lease {
    Fence fence;
    WorkerId worker;
    bool held = false;  // false: nobody has claimed it since the restart
    Duration timeout;
    Duration allowed;  // from `armed` on
    Duration armed;    // on the broker's waking time
  };
  struct Session {
    WorkerHello hello;  // the newest said on this connection
    bool welcome = false;
    bool left = false;
  };

  void take(PeerId peer, const WorkerWelcome& welcome);
  void take(const broker::TaskRecord& record);
  void give(PeerId peer, const DispatchedTask& task);
  void extend(PeerId peer, const Extension& extension);
  void check_bounds();
  std::string what(const TaskId& task, const Lease& lease) const;

  World& world_;
  TaskRegister& tasks_;
  const Ledger& ledger_;
  broker::CoreSettings settings_;
  bool stopping_ = false;
  Duration started_;  // on the broker's waking time
  std::map<TaskId, Lease> leases_;
  std::map<PeerId, Session> sessions_;
  std::map<WorkerId, PeerId> peers_;           // of the newest welcome
  std::map<WorkerId, std::uint32_t> credits_;  // the most it ever asked for
};

}  // namespace millrace::simulation
