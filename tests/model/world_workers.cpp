// What workers say, right and wrong, and what they must be answered.
#include "tests/model/world.h"

namespace millrace::broker::test {

// What it holds, with some left out, and some that it does not hold.
std::vector<HeldLease> World::holding_of(const WorkerId& worker, std::uint8_t wish) const {
  std::vector<HeldLease> holding;
  std::uint8_t number = 0;
  for (const auto& [id, task] : reference_.tasks()) {
    ++number;
    const bool own =
        task.state == TaskState::in_progress && (!task.holder.has_value() || task.holder == worker);
    const bool claims = own ? wish % 4 != 0 || number % 2 == 0 : wish % 8 == 5;
    if (claims) holding.push_back({id, Fence(task.fence)});
  }
  if (wish % 16 == 3) holding.push_back({task_numbered(9), Fence(1)});
  if (wish % 16 == 7 && !holding.empty()) holding.front().fence = holding.front().fence.next();
  return holding;
}

void World::hello(const Command& command) {
  const WorkerId id = worker_numbered(command.a);
  if (!peers_.contains(id)) peers_[id] = PeerId(++next_peer_);
  if (command.act == Act::hello_elsewhere && command.b % 4 == 0) {
    // Over the connection of another worker.
    const WorkerId other = worker_numbered(static_cast<std::uint8_t>(command.a + 1));
    if (peers_.contains(other)) peers_[id] = peers_[other];
  }
  WorkerHello message;
  std::uint64_t& number = hellos_[id];
  message.hello_number = command.act == Act::hello_old ? number : ++number;
  message.worker = id;
  message.name = std::to_string(id.bytes[0]);
  message.queues = {"mail"};
  if (command.b % 3 == 0) message.queues = {"video", "mail"};
  if (command.b % 7 == 0) message.queues = {"video"};
  message.slots = 1 + command.b % 2;
  message.credit = message.slots + command.b % 3;
  message.holding = holding_of(id, command.c);
  const PeerId peer = peers_[id];
  const std::vector<HeldLease> holding = message.holding;
  std::vector<HeldLease> stale;
  const auto expected = reference_.hello(peer, message, stale);
  const std::size_t before = effects_.sends.size();
  step(FromWorker{peer, std::move(message)});
  const auto* welcome = worker_reply<WorkerWelcome>(peer);
  switch (expected) {
    case ReferenceBroker::Hello::ignored:
      return expect(effects_.sends.size() == before, "an old hello was answered");
    case ReferenceBroker::Hello::refused:
      return expect(worker_reply<Refused>(peer) != nullptr, "a hello too many was not refused");
    case ReferenceBroker::Hello::welcome:
      expect(welcome != nullptr && welcome->hello_number == number, "a hello was not welcomed");
      if (welcome == nullptr) return;
      expect(welcome->stale == stale, "the wrong leases were called stale");
      expect(welcome->epoch == settings_.epoch, "a welcome of another epoch");
      sessions_[id] = welcome->session;
  }
}

void World::reconnect(const Command& command) {
  peers_[worker_numbered(command.a)] = PeerId(++next_peer_);
}

// Sends it; true when the core does not know the peer and must have said so.
bool World::refused_as_unknown(PeerId peer, WorkerMessage message) {
  const bool known = reference_.knows(peer);
  const std::size_t before = effects_.sends.size();
  if (known) reference_.hear(peer);
  step(FromWorker{peer, std::move(message)});
  if (known) return false;
  const bool said = effects_.sends.size() == before + 1;
  const auto* refused = worker_reply<Refused>(peer);
  expect(said && refused != nullptr && refused->code == ErrorCode::unknown_session,
         "a stranger was not told to say hello");
  return true;
}

void World::complete(const Command& command) {
  const WorkerId id = worker_numbered(command.a);
  const PeerId peer = peers_[id];
  Completion completion;
  completion.outcome = static_cast<Outcome>(1 + command.c % 7);
  completion.result = SharedBytes::copy_of(command.b % 2 == 0 ? "result" : "");
  completion.error = "error";
  const std::vector<TaskId> held = reference_.held_by(id);
  completion.task = held.empty() ? task_numbered(command.b) : held[command.b % held.size()];
  if (command.act == Act::complete_wrongly) completion.task = task_numbered(command.b);
  const auto task = reference_.tasks().find(completion.task);
  completion.fence = Fence(task == reference_.tasks().end() ? 1 : task->second.fence);
  if (command.act == Act::complete_wrongly && command.c % 3 == 0) {
    completion.fence = Fence(completion.fence.value + (command.c % 2 == 0 ? 1 : 0xffff'ffff'ffffU));
  }
  Complete message;
  message.items.assign(command.b % 6 == 0 ? 2 : 1, completion);  // sometimes said twice
  message.credit = 1 + command.b % 4;
  const std::size_t times = message.items.size();
  const std::uint32_t credit = message.credit;
  if (refused_as_unknown(peer, std::move(message))) return;
  reference_.set_credit(peer, credit);
  const Completed* answer = worker_reply<Completed>(peer);
  expect(answer != nullptr && answer->items.size() == times, "a completion was not answered");
  if (answer == nullptr) return;
  for (std::size_t i = 0; i < times; ++i) {
    const bool accepted = reference_.complete(peer, completion);
    expect(answer->items[i].accepted == accepted,
           accepted ? "a completion was called stale" : "a stale completion was accepted");
  }
}

void World::extend(const Command& command) {
  const PeerId peer = peers_[worker_numbered(command.a)];
  Extension extension;
  const std::vector<TaskId> held = reference_.held_by(worker_numbered(command.a));
  const bool own = !held.empty() && command.b % 4 != 0;
  extension.task = own ? held[command.b % held.size()] : task_numbered(command.b);
  const auto task = reference_.tasks().find(extension.task);
  extension.fence = Fence(task == reference_.tasks().end() ? 1 : task->second.fence);
  extension.by = Duration::milliseconds(command.c % 2 == 0 ? 0 : 1'500);
  if (refused_as_unknown(peer, Extend{{extension}})) return;
  const bool fine = reference_.extend(peer, extension);
  if (fine) return;
  const StopTasks* stop = worker_reply<StopTasks>(peer);
  expect(stop != nullptr && stop->tasks.back().cause == StopCause::stale_lease,
         "a stale extension was not stopped");
}

void World::goodbye(const Command& command) {
  const PeerId peer = peers_[worker_numbered(command.a)];
  if (refused_as_unknown(peer, WorkerGoodbye{})) return;
  reference_.goodbye(peer);
}

void World::beat(const WorkerId& worker) {
  const auto session = sessions_.find(worker);
  Beat beat;
  beat.worker = worker;
  beat.session = session == sessions_.end() ? SessionNonce(7) : session->second;
  step(BeatHeard{beat});
  if (session != sessions_.end()) reference_.beat(worker);
}

void World::undeliverable(const Command& command) {
  const PeerId peer = peers_[worker_numbered(command.a)];
  if (command.act == Act::unreachable) {
    step(WorkerUnreachable{peer});
    return reference_.unreachable(peer);
  }
  const TaskId id = task_numbered(command.b);
  const auto task = reference_.tasks().find(id);
  const HeldLease lease{id, Fence(task == reference_.tasks().end() ? 1 : task->second.fence)};
  step(DispatchUndeliverable{peer, {lease}});
  reference_.undeliverable(peer, lease);
}

}  // namespace millrace::broker::test
