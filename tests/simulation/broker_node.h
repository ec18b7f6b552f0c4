// The broker: the real core in a shell like the reactor's, on virtual time. It can crash, stop,
// stand still and come back with another wall clock.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "broker/core/broker_core.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/network.h"
#include "tests/simulation/node_clock.h"
#include "tests/simulation/oracle.h"

namespace millrace::simulation {

// What the broker's replies reach.
class ClientSide {
 public:
  virtual ~ClientSide() = default;
  virtual void receive(ClientReply reply) = 0;
  virtual void hear_pulse(const Pulse& pulse) = 0;
  virtual Route& route() = 0;
};
class WorkerSide {
 public:
  virtual ~WorkerSide() = default;
  virtual void receive(WorkerReply reply) = 0;
  virtual void hear_pulse(const Pulse& pulse) = 0;
  virtual Route& route() = 0;
};

class BrokerNode {
 public:
  BrokerNode(World& world, const Plan& plan, Mutant mutant, Oracle& oracle);

  // All nodes, before the first start; for pulses and the state of the network.
  void introduce(ClientSide& client) { clients_.push_back(&client); }
  void introduce(WorkerSide& worker) { workers_.push_back(&worker); }

  void start();
  void crash();
  // As SIGTERM: ends by itself once everything is told.
  void stop();
  void pause(Duration length);
  NodeClock& clock() { return clock_; }
  // Corrects the wall clock: to the furthest it has shown, so that what was put off by a wrong
  // clock still comes to its end. Starts anew where the running process is wrong.
  void correct_clock();
  bool is_running() const { return core_ != nullptr; }
  bool is_paused() const { return paused_; }
  Disk& disk() { return disk_; }
  // Nothing waits to be decided, written or told.
  bool is_quiet() const;
  // What it would tell an operator, in one line.
  std::string describe() const;

  // What arrives.
  void receive(ClientSide& client, const std::shared_ptr<Wire>& wire, ClientMessage message);
  void receive(WorkerSide& worker, const std::shared_ptr<Wire>& wire, WorkerMessage message);
  void hear_beat(const Beat& beat);

 private:
  struct Peer {
    ClientSide* client = nullptr;
    WorkerSide* worker = nullptr;
    std::shared_ptr<Wire> wire;
  };
  struct HeldTurn {
    BatchNumber batch;
    std::vector<broker::Send> sends;
    std::vector<PeerId> forgotten;
  };
  using Held = std::deque<HeldTurn>;

  broker::CoreSettings settings_of_core() const;
  void load();
  void end_process(bool graceful);
  void fail_stop();
  void watch_store_level();
  void wake();
  void turn();
  void run_core(std::vector<broker::Event> events, Time now);
  void release();
  void send_pulses();
  PeerId peer_of(ClientSide* client, WorkerSide* worker, const std::shared_ptr<Wire>& wire);
  void notice_heard(const broker::Event& event);

  // Outbox: broker_sends.cpp.
  void deliver(broker::ToClient& send);
  void deliver(broker::ToWorker& send);
  void deliver(broker::DispatchToWorker& send);
  void deliver(broker::FinishedToClient& send);
  void deliver(broker::TaskListToClient& send);
  void deliver(broker::ExplainedToClient& send);
  void deliver(broker::StatusToClient& send);
  void deliver(broker::GoodbyeToAll& send);
  void to_client(PeerId peer, ClientReply reply);
  bool to_worker(PeerId peer, WorkerReply reply);

  // broker_mutants.cpp: what the built-in faults change.
  void mutate_loaded(broker::Totals& totals) const;
  // False: the task is not loaded at all.
  bool mutate_loaded(broker::TaskRecord& record) const;
  void mutate_spec(TaskSpec& spec) const;
  void mutate_event(broker::Event& event);
  void mutate_effects(broker::Effects& effects);

  World& world_;
  const Plan& plan_;
  Mutant mutant_;
  Oracle& oracle_;
  Disk disk_;
  std::vector<ClientSide*> clients_;
  std::vector<WorkerSide*> workers_;

  std::unique_ptr<broker::BrokerCore> core_;
  std::uint64_t process_ = 0;
  NodeClock clock_;
  Duration furthest_;  // that a process was ever ahead
  bool paused_ = false;
  bool stopping_ = false;
  bool store_accepting_ = true;
  std::vector<broker::Event> shell_events_;
  std::vector<broker::Event> beat_events_;
  std::vector<broker::Event> worker_events_;
  std::vector<broker::Event> client_events_;
  broker::Effects effects_;
  Held held_;
  PeerId last_peer_;
  std::map<PeerId, Peer> peers_;
  std::map<const Wire*, PeerId> peer_by_wire_;
  std::map<WorkerId, SessionNonce> nonces_;
  std::map<PeerId, WorkerId> worker_ids_;
  std::uint64_t pulses_ = 0;
  Time next_pulse_;
  Time last_turn_;
  std::uint64_t turns_ = 0;
  Alarm alarm_;

  // For the mutants alone: the newest lease of each task and the peer it went to.
  struct Leased {
    Fence fence;
    PeerId peer;
  };
  std::map<TaskId, Leased> leased_;
};

}  // namespace millrace::simulation
