#include "tests/model/world.h"

#include <algorithm>
#include <ostream>

namespace millrace::broker::test {
namespace {

constexpr const char* kActNames[] = {"submit",
                                     "submit_changed",
                                     "cancel",
                                     "watch",
                                     "get",
                                     "requeue",
                                     "purge_dead",
                                     "pause",
                                     "resume",
                                     "purge",
                                     "hello",
                                     "hello_old",
                                     "hello_elsewhere",
                                     "reconnect",
                                     "complete",
                                     "complete_wrongly",
                                     "extend",
                                     "goodbye",
                                     "beat",
                                     "beat_all",
                                     "undeliverable",
                                     "unreachable",
                                     "drain",
                                     "store_level",
                                     "advance",
                                     "stall",
                                     "restart"};
static_assert(std::size(kActNames) == static_cast<std::size_t>(Act::count));

CoreSettings model_settings() {
  CoreSettings settings;
  settings.aging_interval = Duration();
  settings.tasks_max = 6;
  settings.workers_max = 3;
  settings.retained_tasks_max = 3;
  settings.client_silence_max = Duration::days(1'000);
  settings.prefetch_quantum = 2;
  return settings;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Command& command) {
  return out << kActNames[static_cast<std::size_t>(command.act)] << "(" << int{command.a} << ", "
             << int{command.b} << ", " << int{command.c} << ")";
}

World::World()
    : settings_(model_settings()),
      core_(std::make_unique<BrokerCore>(settings_, Random(1))),
      reference_(settings_),
      now_(Time::since_epoch(Duration::days(20'000))) {
  reference_.begin(now_);
  tick();
}

void World::expect(bool condition, const std::string& what) {
  if (!condition && problem_.empty()) problem_ = what;
}

bool World::play(const Command& command) {
  reference_.begin(now_);
  act(command);
  // Some turns take several events.
  if (command.c % 4 != 0) tick();
  return problem_.empty();
}

void World::act(const Command& command) {
  switch (command.act) {
    case Act::submit:
    case Act::submit_changed:
      return submit(command);
    case Act::cancel:
      return cancel(command);
    case Act::watch:
      return watch(command);
    case Act::get:
      return get(command);
    case Act::requeue:
    case Act::purge_dead:
      return change_dead(command);
    case Act::pause:
    case Act::resume:
    case Act::purge:
      return control(command);
    case Act::hello:
    case Act::hello_old:
    case Act::hello_elsewhere:
      return hello(command);
    case Act::reconnect:
      return reconnect(command);
    case Act::complete:
    case Act::complete_wrongly:
      return complete(command);
    case Act::extend:
      return extend(command);
    case Act::goodbye:
      return goodbye(command);
    case Act::beat:
      return beat(worker_numbered(command.a));
    case Act::beat_all:
      for (std::uint8_t number = 0; number < 4; ++number) beat(worker_numbered(number));
      return;
    case Act::undeliverable:
    case Act::unreachable:
      return undeliverable(command);
    case Act::drain:
      return drain(command);
    case Act::store_level:
      step(StoreLevelChanged{command.a % 3 != 0});
      return reference_.store_accepting(command.a % 3 != 0);
    case Act::advance:
    case Act::stall:
      return advance(command);
    case Act::restart:
      return restart();
    case Act::count:
      return;
  }
}

void World::step(Event event) {
  core_->step(std::move(event), now_, effects_);
}

void World::tick() {
  core_->tick(now_, effects_);
  reference_.tick();
  store_.apply(effects_.writes);
  judge_turn();
  effects_.clear();
}

void World::judge_turn() {
  std::set<std::uint64_t> erased;
  for (const Write& write : effects_.writes) {
    if (const auto* erase = std::get_if<EraseTask>(&write)) {
      erased.insert(erase->sequence.value);
    }
  }
  if (const auto wrong = reference_.forgotten(erased)) expect(false, *wrong);
  judge_replies();
  if (const auto wrong = reference_.compare(store_)) expect(false, *wrong);
  if (const auto wrong = store_.contradiction()) expect(false, *wrong);
  if (const auto broken = Invariants::check(*core_)) expect(false, *broken);
  expect(core_->next_deadline() <= now_ + settings_.tick_interval_max, "the next tick is too late");
  for (const PeerId peer : effects_.forgotten) {
    expect(!reference_.knows(peer), "a peer in use was forgotten");
  }
}

void World::judge_replies() {
  std::vector<DispatchToWorker> dispatches;
  FinishedWords finished;
  std::vector<Explained> explanations;  // of the end of the turn
  for (const Send& send : effects_.sends) {
    if (const auto* dispatch = std::get_if<DispatchToWorker>(&send)) {
      dispatches.push_back(*dispatch);
      for (const DispatchToWorker::Item& item : dispatch->items) {
        expect(store_.has_spec(item.sequence), "a task was given out without a stored spec");
      }
    } else if (const auto* ends = std::get_if<FinishedToClient>(&send)) {
      for (const FinishedToClient::Item& item : ends->items) {
        finished.emplace(ends->peer, item.task.id, item.task.state, item.task.attempts);
      }
    } else if (const auto* to_worker = std::get_if<ToWorker>(&send)) {
      notice(*to_worker);
    } else if (const auto* explained = std::get_if<ExplainedToClient>(&send)) {
      explanations.push_back(explained->explained);
    }
  }
  ended_ += finished.size();
  expect(finished == reference_.take_finished(), "the wrong ends were told");
  if (const auto wrong = reference_.dispatch(dispatches)) expect(false, *wrong);
  for (const Explained& explained : explanations) judge_explained(explained);
}

// What is called back must be held there, under that fence, beyond what can be running.
void World::notice(const ToWorker& send) {
  const auto* recall = std::get_if<Recall>(&send.reply);
  if (recall == nullptr) return;
  const std::optional<WorkerId> worker = reference_.id_of(send.peer);
  expect(worker.has_value(), "a recall to nobody");
  for (const HeldLease& lease : recall->tasks) {
    const auto task = reference_.tasks().find(lease.task);
    expect(task != reference_.tasks().end(), "a recall of an unknown task");
  }
}

// ---- time ---------------------------------------------------------------------------------------

void World::advance(const Command& command) {
  constexpr std::int64_t kSteps[] = {1, 100, 250, 500, 1'000, 3'100};
  const Duration length = Duration::milliseconds(kSteps[command.a % std::size(kSteps)]);
  tick();
  if (command.act == Act::stall) {
    now_ = now_ + length;
    return reference_.begin(now_);
  }
  const Time end = now_ + length;
  while (now_ < end && problem_.empty()) {
    now_ = std::min(end, now_ + settings_.tick_interval_max);
    reference_.begin(now_);
    if (command.b % 3 != 0) {
      for (std::uint8_t number = 0; number < 4; ++number) beat(worker_numbered(number));
    }
    tick();
  }
}

void World::restart() {
  tick();
  settings_.epoch = settings_.epoch.next();
  core_ = std::make_unique<BrokerCore>(settings_, Random(settings_.epoch.value));
  store_.restore(*core_, now_);
  sessions_.clear();
  reference_.restart();
  reference_.begin(now_);
}

}  // namespace millrace::broker::test
