#include "tests/simulation/client_node.h"

#include <utility>

namespace millrace::simulation {

ClientNode::ClientNode(World& world, const Plan& plan, Oracle& oracle, BrokerNode& broker,
                       ClientSetup setup)
    : world_(world),
      plan_(plan),
      oracle_(oracle),
      broker_(broker),
      setup_(std::move(setup)),
      route_(world, plan, setup_.number),
      clock_(draw_clock(world, plan)),
      to_submit_(setup_.tasks),
      alarm_(world, [this] { input([](client::Session&, Time, client::Actions&) {}); }) {}

// A new process submits again what was not answered and awaits the ends it has not heard.
void ClientNode::start_process() {
  if (session_.has_value()) return;
  ++process_;
  clock_.start_process();
  client::SessionSettings settings;
  settings.client = make_random_id<ClientId>(world_.random());
  settings.random_seed = world_.random().next();
  session_.emplace(settings);
  world_.note(Happening::client_starts, setup_.number);
  route_.connect();
  std::vector<TaskId> to_await;
  std::vector<TaskSpec> to_repeat;
  for (const Mine& mine : mine_) {
    if (!mine.acknowledged) to_repeat.push_back(mine.spec);
    if (mine.acknowledged && !mine.ended) to_await.push_back(mine.spec.id);
  }
  input([to_await](client::Session& session, Time now, client::Actions& actions) {
    session.start(now, actions);
    session.watch(to_await, now, actions);
  });
  if (!to_repeat.empty()) submit(to_repeat, true);
}

void ClientNode::crash(Duration down) {
  if (!session_.has_value()) return;
  world_.note(Happening::client_crashes, setup_.number);
  if (!paused_ && world_.chance(300)) {
    input([](client::Session& session, Time, client::Actions& actions) { session.stop(actions); });
  }
  session_.reset();
  route_.hang_up();
  asked_.clear();
  sent_.clear();
  backlog_.clear();
  paused_ = false;
  alarm_.clear();
  ++process_;
  world_.after(down, [this, process = process_] {
    if (process == process_) start_process();
  });
}

void ClientNode::pause(Duration length) {
  if (!session_.has_value() || paused_) return;
  world_.note(Happening::client_pauses, setup_.number, 0, length.in_milliseconds());
  paused_ = true;
  world_.after(length, [this, process = process_] {
    if (process != process_) return;
    world_.note(Happening::client_continues, setup_.number);
    paused_ = false;
    for (Input& step : std::exchange(backlog_, {})) input(std::move(step));
    input([](client::Session&, Time, client::Actions&) {});
  });
}

bool ClientNode::is_quiet() const {
  return session_.has_value() && !paused_ && !session_->has_outstanding() && to_submit_ == 0;
}

// ---- the session --------------------------------------------------------------------------------

void ClientNode::input(Input step) {
  if (!session_.has_value()) return;
  if (paused_) {
    backlog_.push_back(std::move(step));
    return;
  }
  actions_.clear();
  step(*session_, clock_.now(), actions_);
  session_->tick(clock_.now(), actions_);
  perform();
  if (session_.has_value()) alarm_.set(clock_.when(session_->next_deadline()));
}

void ClientNode::perform() {
  if (actions_.reconnect) {
    world_.note(Happening::wire_made_anew, setup_.number);
    route_.connect();
  }
  for (ClientMessage& message : actions_.sends) {
    route_.wire()->to_broker([this, wire = route_.wire(), sent = std::move(message)] {
      broker_.receive(*this, wire, sent);
    });
  }
  for (const client::SessionEvent& event : std::exchange(actions_.events, {})) {
    std::visit([this](const auto& one) { on(one); }, event);
  }
}

void ClientNode::receive(ClientReply reply) {
  input([said = std::move(reply)](client::Session& session, Time now, client::Actions& actions) {
    session.receive(said, now, actions);
  });
}

void ClientNode::hear_pulse(const Pulse& pulse) {
  input([pulse](client::Session& session, Time now, client::Actions& actions) {
    session.hear_pulse(pulse, now, actions);
  });
}

// ---- what happens -------------------------------------------------------------------------------

void ClientNode::on(const client::SubmitResult& result) {
  const auto found = sent_.find(result.group);
  if (found == sent_.end()) return world_.fail("P15", "an answer to a submit that was not made");
  const Sent sent = found->second;
  sent_.erase(found);
  const std::uint32_t task = oracle_.tasks().add(sent.id).number;
  if (result.id != sent.id) world_.fail("P15", "a submit is answered for another task");
  switch (result.status) {
    case SubmitStatus::accepted:
    case SubmitStatus::duplicate:
      world_.note(Happening::submit_acknowledged, setup_.number, task);
      oracle_.readings().accepted(sent.id, sent.content_hash);
      break;
    case SubmitStatus::conflict:
      world_.note(Happening::submit_conflicts, setup_.number, task);
      oracle_.readings().conflicts(sent.id, sent.content_hash);
      return;
    default:
      world_.note(Happening::submit_refused, setup_.number, task,
                  static_cast<std::int64_t>(result.status));
      world_.fail("P15", "a sound submit is refused for good: " + result.message);
      return;
  }
  for (Mine& mine : mine_) {
    if (mine.spec.id == sent.id) mine.acknowledged = true;
  }
}

void ClientNode::on(const client::SubmitUnanswered& unanswered) {
  world_.note(Happening::submit_unanswered, setup_.number,
              oracle_.tasks().add(unanswered.id).number);
  sent_.erase(unanswered.group);
}

void ClientNode::on(const FinishedTask& task) {
  world_.note(Happening::client_hears_end, setup_.number, oracle_.tasks().add(task.id).number,
              static_cast<std::int64_t>(task.state));
  oracle_.readings().finished(task);
  for (Mine& mine : mine_) {
    if (mine.spec.id == task.id) mine.ended = true;
  }
}

void ClientNode::on(const client::UnknownTask& unknown) {
  oracle_.readings().unknown(unknown.id);
}

void ClientNode::on(const client::HelloRefused& refused) {
  world_.fail("P15", "a sound client is refused: " + refused.refused.message);
}

void ClientNode::on(const client::Reply& reply) {
  const auto found = asked_.find(reply.request);
  if (found == asked_.end()) return;
  const Asked asked = std::move(found->second);
  asked_.erase(found);
  if (const auto* cancelled = std::get_if<Cancelled>(&reply.reply)) {
    take(asked, *cancelled);
  } else if (const auto* list = std::get_if<TaskList>(&reply.reply)) {
    take(asked, *list);
  }
}

void ClientNode::take(const Asked& asked, const Cancelled& cancelled) {
  if (cancelled.items.size() != asked.tasks.size()) {
    return world_.fail("P15", "a cancel is answered for another number of tasks");
  }
  for (std::size_t at = 0; at < asked.tasks.size(); ++at) {
    world_.note(Happening::cancel_confirmed, setup_.number,
                oracle_.tasks().add(asked.tasks[at]).number,
                static_cast<std::int64_t>(cancelled.items[at].status));
    oracle_.readings().cancel_answered(asked.tasks[at], cancelled.items[at]);
  }
}

void ClientNode::take(const Asked& asked, const TaskList& list) {
  for (const TaskId& id : list.unknown) oracle_.readings().unknown(id);
  for (const TaskView& view : list.tasks) oracle_.readings().viewed(view, asked.with_result);
}

}  // namespace millrace::simulation
