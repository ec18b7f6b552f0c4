// One client: the real session, and a user who submits, repeats, cancels, asks and requeues. Its
// process can crash; what the user knows survives.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/cpp/session.h"
#include "tests/simulation/broker_node.h"
#include "tests/simulation/node_clock.h"

namespace millrace::simulation {

struct ClientSetup {
  std::uint32_t number = 1;  // of the node
  std::uint32_t tasks = 10;  // to submit
  std::vector<std::string> queues;
  std::vector<std::string> workers;
};

class ClientNode final : public ClientSide {
 public:
  ClientNode(World& world, const Plan& plan, Oracle& oracle, BrokerNode& broker, ClientSetup setup);

  void start_process();
  // Starts submitting and acting, until `end`.
  void begin(Time end);
  void crash(Duration down);
  void pause(Duration length);
  // From now on only what makes everything end: queues are resumed, ends are awaited.
  void settle();
  bool is_running() const { return session_.has_value(); }
  bool is_paused() const { return paused_; }
  bool is_quiet() const;

  void receive(ClientReply reply) override;
  void hear_pulse(const Pulse& pulse) override;
  Route& route() override { return route_; }
  NodeClock& clock() { return clock_; }

 private:
  using Input = std::function<void(client::Session&, Time, client::Actions&)>;
  // What the user remembers of a task of theirs.
  struct Mine {
    TaskSpec spec;
    bool acknowledged = false;
    bool ended = false;
  };
  struct Sent {
    TaskId id;
    std::uint64_t content_hash = 0;
  };
  // A request that waits for its reply.
  struct Asked {
    std::vector<TaskId> tasks;
    bool with_result = false;
  };

  void input(Input step);
  void perform();

  // What happens: client_events.cpp.
  void on(const client::SubmitResult& result);
  void on(const client::SubmitUnanswered& unanswered);
  void on(const FinishedTask& task);
  void on(const client::UnknownTask& unknown);
  void on(const client::Reply& reply);
  void on(const client::RequestUnanswered& unanswered) { asked_.erase(unanswered.request); }
  void on(const client::Connected&) {}
  void on(const client::Disconnected&) {}
  void on(const client::HelloRefused&);
  void take(const Asked& asked, const Cancelled& cancelled);
  void take(const Asked& asked, const TaskList& list);

  // What the user does: client_user.cpp.
  void submit_some();
  void submit(const std::vector<TaskSpec>& specs, bool watch);
  TaskSpec draw_spec();
  void draw_times(TaskSpec& spec);
  void act();
  void resubmit();
  void submit_other_content();
  void cancel_one();
  void ask();
  void requeue();
  void purge_dead();
  void list();
  void control_queue();
  void purge_by_filter(const std::string& queue);
  void drain_worker();
  void resume_queues();
  void request(ClientMessage message, Asked asked, bool for_ever);
  // Some task that is known to be accepted, or nullptr.
  TaskFacts* some_accepted();

  World& world_;
  const Plan& plan_;
  Oracle& oracle_;
  BrokerNode& broker_;
  ClientSetup setup_;
  Route route_;
  NodeClock clock_;

  std::uint64_t process_ = 0;
  std::optional<client::Session> session_;
  client::Actions actions_;
  bool paused_ = false;
  std::vector<Input> backlog_;  // while paused
  std::map<client::SubmitGroup, Sent> sent_;
  client::SubmitGroup last_group_;
  std::map<RequestId, Asked> asked_;
  std::vector<Mine> mine_;
  std::uint32_t to_submit_;
  Time acts_until_;
  bool settling_ = false;
  Alarm alarm_;
};

}  // namespace millrace::simulation
