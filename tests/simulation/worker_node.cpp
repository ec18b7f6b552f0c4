#include "tests/simulation/worker_node.h"

#include <utility>

namespace millrace::simulation {

WorkerNode::WorkerNode(World& world, const Plan& plan, Oracle& oracle, BrokerNode& broker,
                       WorkerSetup setup)
    : world_(world),
      plan_(plan),
      oracle_(oracle),
      broker_(broker),
      setup_(std::move(setup)),
      route_(world, plan, setup_.number),
      clock_(draw_clock(world, plan)),
      alarm_(world, [this] { input([](worker::Session&, Time, worker::Actions&) {}); }) {}

// ---- the life of a process ----------------------------------------------------------------------

void WorkerNode::start_process() {
  if (session_.has_value()) return;
  ++process_;
  clock_.start_process();
  id_ = make_random_id<WorkerId>(world_.random());
  worker::SessionSettings settings;
  settings.worker = id_;
  settings.name = name();
  settings.queues = setup_.queues;
  settings.slots = setup_.slots;
  settings.version = "simulated";
  session_.emplace(std::move(settings), Random(world_.random().next()));
  world_.note(Happening::worker_starts, setup_.number, 0, static_cast<std::int64_t>(process_));
  oracle_.ledger().process_starts(id_);
  route_.connect();
  alarm_.set(world_.now());
}

void WorkerNode::crash(Duration down) {
  if (!session_.has_value()) return;
  world_.note(Happening::worker_crashes, setup_.number);
  end_process(down, false);
}

// What has been sent may still arrive when the process `lingers`.
void WorkerNode::end_process(Duration down, bool lingers) {
  oracle_.ledger().process_ends(id_);
  session_.reset();
  handlers_.clear();
  backlog_.clear();
  paused_ = false;
  alarm_.clear();
  ++process_;
  if (!lingers) {
    route_.hang_up();
  } else if (down < Duration::seconds(1)) {
    down = Duration::seconds(1);
  }
  world_.after(down, [this, process = process_] {
    if (process == process_) start_process();
  });
}

void WorkerNode::pause(Duration length) {
  if (!session_.has_value() || paused_) return;
  const bool brief = length < Duration::seconds(3);
  world_.note(brief ? Happening::worker_pauses_briefly : Happening::worker_pauses_long,
              setup_.number, 0, length.in_milliseconds());
  oracle_.ledger().disturbed(id_, length);
  paused_ = true;
  world_.after(length, [this, process = process_] {
    if (process != process_) return;
    world_.note(Happening::worker_continues, setup_.number);
    paused_ = false;
    for (Input& step : std::exchange(backlog_, {})) input(std::move(step));
    input([](worker::Session&, Time, worker::Actions&) {});
  });
}

void WorkerNode::drain() {
  if (!session_.has_value()) return;
  world_.note(Happening::worker_drains, setup_.number);
  input([](worker::Session& session, Time now, worker::Actions& actions) {
    session.drain(now, actions);
  });
}

// The handlers have been ended before anything is handed back.
void WorkerNode::abandon() {
  if (!session_.has_value() || paused_) return;
  world_.note(Happening::worker_abandons, setup_.number);
  for (const auto& [key, handler] : handlers_) {
    oracle_.ledger().attempt_ends(HeldLease{key.first, key.second});
  }
  input([](worker::Session& session, Time now, worker::Actions& actions) {
    session.abandon(now, actions);
  });
}

void WorkerNode::hint_connection_lost() {
  input([](worker::Session& session, Time now, worker::Actions& actions) {
    session.connection_lost(now, actions);
  });
}

bool WorkerNode::is_quiet() const {
  if (!session_.has_value()) return true;
  return !paused_ && session_->waiting() == 0 && session_->unacknowledged() == 0;
}

// ---- the session --------------------------------------------------------------------------------

void WorkerNode::input(Input step) {
  if (!session_.has_value()) return;
  if (paused_) {
    backlog_.push_back(std::move(step));
    return;
  }
  actions_.clear();
  step(*session_, clock_.now(), actions_);
  session_->tick(clock_.now(), actions_);
  perform();
  if (!session_.has_value()) return;
  alarm_.set(clock_.when(session_->next_deadline()));
}

void WorkerNode::perform() {
  if (actions_.reconnect) {
    world_.note(Happening::wire_made_anew, setup_.number);
    route_.connect();
  }
  if (!actions_.lost.empty()) world_.note(Happening::worker_loses_session, setup_.number);
  for (const DispatchedTask& task : actions_.starts) start_handler(task);
  for (WorkerMessage& message : actions_.sends) send(std::move(message));
  for (const StoppedTask& stopped : actions_.stops) stop_handler(stopped);
  for (const Beat& beat : actions_.beats) {
    route_.beat([this, beat] { broker_.hear_beat(beat); });
  }
  if (actions_.failure.has_value()) {
    world_.fail("P15", "a sound worker is refused: " + actions_.failure->message);
  }
  if (actions_.finished) {
    world_.note(Happening::worker_ends, setup_.number);
    end_process(world_.pick(Duration::seconds(1), Duration::seconds(6)), true);
  }
}

void WorkerNode::send(WorkerMessage message) {
  if (const auto* complete = std::get_if<Complete>(&message)) {
    for (const Completion& completion : complete->items) {
      if (!oracle_.ledger().reported(completion)) continue;
      world_.note(Happening::completion_repeated, setup_.number,
                  oracle_.tasks().add(completion.task).number,
                  static_cast<std::int64_t>(completion.fence.value));
    }
  }
  route_.wire()->to_broker([this, wire = route_.wire(), sent = std::move(message)] {
    broker_.receive(*this, wire, sent);
  });
}

void WorkerNode::receive(WorkerReply reply) {
  note_answers(reply);
  input([said = std::move(reply)](worker::Session& session, Time now, worker::Actions& actions) {
    session.receive(said, now, actions);
  });
}

void WorkerNode::note_answers(const WorkerReply& reply) {
  const auto* completed = std::get_if<Completed>(&reply);
  if (completed == nullptr) return;
  for (const CompletionAnswer& answer : completed->items) {
    world_.note(answer.accepted ? Happening::completion_accepted : Happening::completion_stale,
                setup_.number, oracle_.tasks().add(answer.task).number,
                static_cast<std::int64_t>(answer.fence.value));
    oracle_.ledger().answered(answer);
  }
}

void WorkerNode::hear_pulse(const Pulse& pulse) {
  input([pulse](worker::Session& session, Time now, worker::Actions& actions) {
    session.hear_pulse(pulse, now, actions);
  });
}

}  // namespace millrace::simulation
