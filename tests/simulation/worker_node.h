// One worker: the real session, simulated handlers. Its process can crash, stand still, drain, hand
// everything back, and start again under a new id.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulation/broker_node.h"
#include "tests/simulation/node_clock.h"
#include "worker/cpp/session.h"

namespace millrace::simulation {

struct WorkerSetup {
  std::uint32_t number = 1;  // of the node
  std::vector<std::string> queues;
  std::uint32_t slots = 1;
};

class WorkerNode final : public WorkerSide {
 public:
  WorkerNode(World& world, const Plan& plan, Oracle& oracle, BrokerNode& broker, WorkerSetup setup);

  void start_process();
  // Ends at once; a new process starts after `down`.
  void crash(Duration down);
  void pause(Duration length);
  void drain();
  void abandon();
  // The transport tells of a broken connection.
  void hint_connection_lost();
  bool is_running() const { return session_.has_value(); }
  bool is_paused() const { return paused_; }
  const WorkerId& id() const { return id_; }
  std::string name() const { return "worker-" + std::to_string(setup_.number); }
  // Nothing runs, waits or is unanswered.
  bool is_quiet() const;

  void receive(WorkerReply reply) override;
  void hear_pulse(const Pulse& pulse) override;
  Route& route() override { return route_; }
  NodeClock& clock() { return clock_; }

 private:
  using Input = std::function<void(worker::Session&, Time, worker::Actions&)>;
  struct Handler {
    std::uint64_t token = 0;
    std::uint32_t task = 0;
    Time started;
    Outcome outcome = Outcome::succeeded;
    bool hangs = false;
  };
  using Key = std::pair<TaskId, Fence>;

  void input(Input step);
  void perform();
  void send(WorkerMessage message);
  void end_process(Duration down, bool lingers);
  void note_answers(const WorkerReply& reply);

  void start_handler(const DispatchedTask& task);
  Handler draw_handler(const DispatchedTask& task, Duration& length);
  void stop_handler(const StoppedTask& stopped);
  void end_handler_after(const Key& key, std::uint64_t token, Duration delay, Outcome outcome);
  void end_handler(const Key& key, std::uint64_t token, Outcome outcome);
  void extend_after(const Key& key, std::uint64_t token, Duration delay, int times);

  World& world_;
  const Plan& plan_;
  Oracle& oracle_;
  BrokerNode& broker_;
  WorkerSetup setup_;
  Route route_;
  NodeClock clock_;

  std::uint64_t process_ = 0;
  WorkerId id_;
  std::optional<worker::Session> session_;
  worker::Actions actions_;
  bool paused_ = false;
  std::vector<Input> backlog_;  // while paused
  std::map<Key, Handler> handlers_;
  std::uint64_t tokens_ = 0;
  Alarm alarm_;
};

}  // namespace millrace::simulation
