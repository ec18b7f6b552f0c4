#include "tests/simulation/broker_node.h"

#include <algorithm>
#include <utility>

namespace millrace::simulation {

using namespace broker;  // NOLINT: the shell speaks the core's language throughout

BrokerNode::BrokerNode(World& world, const Plan& plan, Mutant mutant, Oracle& oracle)
    : world_(world),
      plan_(plan),
      mutant_(mutant),
      oracle_(oracle),
      disk_(
          world, plan, mutant, [this] { wake(); }, [this] { fail_stop(); }),
      clock_(world, Duration(), draw_drift(world, plan)),
      alarm_(world, [this] { turn(); }) {
  if (mutant == Mutant::follow_wall_clock) clock_.follow_the_wall_clock();
}

// ---- the life of a process ----------------------------------------------------------------------

CoreSettings BrokerNode::settings_of_core() const {
  CoreSettings settings;
  settings.epoch = const_cast<Disk&>(disk_).store().epoch();
  settings.version = "simulated";
  if (!plan_.aging) settings.aging_interval = Duration();
  return settings;
}

void BrokerNode::start() {
  if (core_ != nullptr) return;
  ++process_;
  const Duration error_before = clock_.error_of_process();
  clock_.start_process();
  const Duration moved = clock_.error() - error_before;
  if (moved > Duration::seconds(1) || moved < Duration::seconds(-1)) {
    world_.note(Happening::broker_clock_moves, 0, 0, moved.in_milliseconds());
  }
  core_ = std::make_unique<BrokerCore>(settings_of_core(), Random(world_.random().next()));
  world_.note(Happening::broker_starts, 0, 0,
              static_cast<std::int64_t>(core_->settings().epoch.value));
  load();
  furthest_ = std::max(furthest_, clock_.error_of_process());
  store_accepting_ = true;
  last_turn_ = world_.now();
  next_pulse_ = world_.now();
  for (ClientSide* client : clients_) client->route().set_broker_up(true);
  for (WorkerSide* worker : workers_) worker->route().set_broker_up(true);
  wake();
}

void BrokerNode::load() {
  oracle_.ledger().broker_starts(core_->settings().adoption_grace);
  oracle_.leases().broker_starts(core_->settings());
  LoadVisitor visitor;
  visitor.totals = [&](Totals totals) {
    oracle_.books().begin_load(totals);
    mutate_loaded(totals);
    core_->restore_totals(totals);
  };
  visitor.queue = [&](const StoredQueue& queue) {
    oracle_.books().load(queue);
    core_->restore_queue(queue.queue, queue.name, queue.paused);
  };
  visitor.task = [&](TaskRecord record) {
    oracle_.books().load(record);
    oracle_.leases().load(record);
    if (mutate_loaded(record)) core_->restore_task(record, clock_.now());
  };
  const Status loaded = disk_.store().load(visitor);
  MILLRACE_CHECK(loaded.ok(), "a store in memory can be read");
  oracle_.books().end_load();
}

void BrokerNode::crash() {
  if (core_ == nullptr) return;
  world_.note(Happening::broker_crashes);
  end_process(false);
}

void BrokerNode::stop() {
  if (core_ == nullptr || stopping_) return;
  world_.note(Happening::broker_stops);
  stopping_ = true;
  oracle_.leases().broker_stops();
  shell_events_.emplace_back(StopRequested{});
  wake();
}

// A process that ends by itself has committed everything; either way its connections end.
void BrokerNode::end_process(bool graceful) {
  const CoreCounters counters = core_->status(clock_.now()).counters;
  world_.count(Happening::lease_adopted, counters.adopted_leases);
  world_.count(Happening::task_recalled, counters.recalled_tasks);
  world_.count(Happening::stale_lease_refused, counters.stale_leases);
  world_.count(Happening::worker_lost, counters.workers_lost);
  world_.count(Happening::loop_stalled, counters.stalls);
  world_.count(Happening::submit_repeated, counters.duplicates);
  if (graceful && !disk_.is_idle()) world_.fail("P1", "a stopped broker left with work unwritten");
  core_.reset();
  ++process_;
  paused_ = stopping_ = false;
  shell_events_.clear();
  beat_events_.clear();
  worker_events_.clear();
  client_events_.clear();
  held_.clear();
  peers_.clear();
  peer_by_wire_.clear();
  worker_ids_.clear();
  nonces_.clear();
  leased_.clear();
  alarm_.clear();
  disk_.crash();
  for (ClientSide* client : clients_) client->route().set_broker_up(false);
  for (WorkerSide* worker : workers_) worker->route().set_broker_up(false);
}

void BrokerNode::pause(Duration length) {
  if (core_ == nullptr || paused_) return;
  world_.note(Happening::broker_pauses, 0, 0, length.in_milliseconds());
  paused_ = true;
  world_.after(length, [this, process = process_] {
    if (process != process_) return;
    paused_ = false;
    world_.note(Happening::broker_continues);
    wake();
  });
}

// Promise P14. Until the process has ended it goes on, but nothing new becomes durable.
void BrokerNode::fail_stop() {
  world_.after(world_.pick(Duration(), Duration::seconds(1)), [this, process = process_] {
    if (process != process_) return;
    crash();
    world_.after(world_.pick(Duration::milliseconds(200), Duration::seconds(5)),
                 [this] { start(); });
  });
}

void BrokerNode::correct_clock() {
  clock_.set_error(furthest_);
  const Duration behind = furthest_ - clock_.error_of_process();
  if (core_ == nullptr || behind < Duration::seconds(1)) return;
  world_.note(Happening::broker_clock_corrected);
  stop();
}

// As the reactor does each turn; a new process begins with the belief that there is room.
void BrokerNode::watch_store_level() {
  if (disk_.accepting() == store_accepting_) return;
  store_accepting_ = disk_.accepting();
  shell_events_.emplace_back(StoreLevelChanged{store_accepting_});
}

bool BrokerNode::is_quiet() const {
  return core_ != nullptr && !paused_ && held_.empty() && shell_events_.empty() &&
         beat_events_.empty() && worker_events_.empty() && client_events_.empty() &&
         disk_.is_idle();
}

std::string BrokerNode::describe() const {
  if (core_ == nullptr) return "the broker is down";
  const CoreStatus status = core_->status(clock_.now());
  std::string text;
  for (const TaskState state : kAllTaskStates) {
    text += std::string(name_of(state)) + " " +
            std::to_string(status.tasks_by_state[index_of(state)]) + ", ";
  }
  for (const QueueStatus& queue : status.queues) {
    if (queue.paused) text += queue.name + " is paused, ";
  }
  for (const WorkerStatus& worker : status.workers) {
    text += worker.name + " is " + name_of(worker.condition) + " and holds " +
            std::to_string(worker.holding) + " of " + std::to_string(worker.credit) + ", ";
  }
  return text + std::to_string(held_.size()) + " turns wait to be told";
}

// ---- what arrives -------------------------------------------------------------------------------

PeerId BrokerNode::peer_of(ClientSide* client, WorkerSide* worker,
                           const std::shared_ptr<Wire>& wire) {
  const auto found = peer_by_wire_.find(wire.get());
  if (found != peer_by_wire_.end()) return found->second;
  last_peer_ = last_peer_.next();
  peer_by_wire_.emplace(wire.get(), last_peer_);
  peers_.emplace(last_peer_, Peer{client, worker, wire});
  return last_peer_;
}

void BrokerNode::receive(ClientSide& client, const std::shared_ptr<Wire>& wire,
                         ClientMessage message) {
  if (core_ == nullptr) return;
  client_events_.emplace_back(FromClient{peer_of(&client, nullptr, wire), std::move(message)});
  wake();
}

void BrokerNode::receive(WorkerSide& worker, const std::shared_ptr<Wire>& wire,
                         WorkerMessage message) {
  if (core_ == nullptr) return;
  worker_events_.emplace_back(FromWorker{peer_of(nullptr, &worker, wire), std::move(message)});
  wake();
}

void BrokerNode::hear_beat(const Beat& beat) {
  if (core_ == nullptr) return;
  beat_events_.emplace_back(BeatHeard{beat});
  wake();
}

// ---- the loop -----------------------------------------------------------------------------------

// Soon, not at once: what arrives together is decided together.
void BrokerNode::wake() {
  if (core_ != nullptr && !paused_) alarm_.set(world_.now() + Duration::microseconds(100));
}

void BrokerNode::turn() {
  if (core_ == nullptr || paused_) return;
  const Duration gap = world_.now() - last_turn_;
  last_turn_ = world_.now();
  oracle_.ledger().broker_turns(gap, core_->settings());
  if (mutant_ == Mutant::judge_before_listening && gap > core_->settings().stall_min) {
    for (Duration ago = gap; ago > Duration(); ago = ago - Duration::milliseconds(250)) {
      run_core({}, clock_.now() - ago);
    }
  }
  watch_store_level();
  std::vector<Event> events = std::exchange(shell_events_, {});
  for (std::vector<Event>* more : {&beat_events_, &worker_events_, &client_events_}) {
    for (Event& event : *more) events.push_back(std::move(event));
    more->clear();
  }
  run_core(std::move(events), clock_.now());
  release();
  send_pulses();
  if (stopping_ && held_.empty() && shell_events_.empty() && disk_.is_idle()) {
    end_process(true);
    world_.after(world_.pick(Duration::milliseconds(200), Duration::seconds(5)),
                 [this] { start(); });
    return;
  }
  alarm_.set(std::min(clock_.when(core_->next_deadline()), next_pulse_));
}

void BrokerNode::run_core(std::vector<Event> events, Time now) {
  for (Event& event : events) {
    mutate_event(event);
    notice_heard(event);
    core_->step(std::move(event), now, effects_);
  }
  core_->tick(now, effects_);
  mutate_effects(effects_);
  for (const Send& send : effects_.sends) {
    const auto* to_worker = std::get_if<ToWorker>(&send);
    if (to_worker == nullptr) continue;
    if (const auto* welcome = std::get_if<WorkerWelcome>(&to_worker->reply)) {
      nonces_[worker_ids_[to_worker->peer]] = welcome->session;
    }
  }
  oracle_.check_turn(effects_, now, core_->totals(), store_accepting_);
  ++turns_;
  if (!effects_.writes.empty() || turns_ % 16 == 0) oracle_.check_core(*core_, now);
  HeldTurn turn;
  turn.sends = std::move(effects_.sends);
  turn.forgotten = std::move(effects_.forgotten);
  turn.batch = disk_.submit(std::move(effects_.writes));
  effects_.clear();
  if (!turn.sends.empty() || !turn.forgotten.empty()) held_.push_back(std::move(turn));
}

// Tells the oracle which words prove that a worker lives.
void BrokerNode::notice_heard(const Event& event) {
  if (const auto* from = std::get_if<FromWorker>(&event)) {
    oracle_.leases().hear(from->peer, from->message);
    const auto* hello = std::get_if<WorkerHello>(&from->message);
    if (hello != nullptr) {
      worker_ids_[from->peer] = hello->worker;
      oracle_.ledger().said_hello(hello->worker);
    }
    const auto known = worker_ids_.find(from->peer);
    if (known != worker_ids_.end()) oracle_.ledger().heard(known->second);
  } else if (const auto* heard = std::get_if<BeatHeard>(&event)) {
    const auto nonce = nonces_.find(heard->beat.worker);
    if (nonce != nonces_.end() && nonce->second == heard->beat.session) {
      oracle_.ledger().heard(heard->beat.worker);
    }
  }
}

void BrokerNode::release() {
  const BatchNumber durable = disk_.durable();
  const bool waits = mutant_ != Mutant::send_before_durable;
  while (!held_.empty() && (!waits || held_.front().batch <= durable)) {
    HeldTurn turn = std::move(held_.front());
    held_.pop_front();
    for (Send& send : turn.sends) {
      std::visit([this](auto& one) { deliver(one); }, send);
    }
    for (const PeerId peer : turn.forgotten) {
      const auto found = peers_.find(peer);
      if (found == peers_.end()) continue;
      peer_by_wire_.erase(found->second.wire.get());
      peers_.erase(found);
    }
  }
}

void BrokerNode::send_pulses() {
  if (world_.now() < next_pulse_) return;
  next_pulse_ = world_.now() + core_->settings().liveness.beat_interval;
  const Pulse pulse{core_->settings().epoch, ++pulses_, clock_.now(), stopping_};
  for (ClientSide* client : clients_) {
    client->route().pulse([client, pulse] { client->hear_pulse(pulse); });
  }
  for (WorkerSide* worker : workers_) {
    worker->route().pulse([worker, pulse] { worker->hear_pulse(pulse); });
  }
}

}  // namespace millrace::simulation
