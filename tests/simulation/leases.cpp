#include "tests/simulation/leases.h"

#include <algorithm>

namespace millrace::simulation {

using namespace broker;  // NOLINT: the broker's effects in their own words

namespace {

// What P6 allows beyond the settings.
constexpr Duration kTolerance = Duration::milliseconds(500);

}  // namespace

void Leases::broker_starts(const CoreSettings& settings) {
  settings_ = settings;
  stopping_ = false;
  started_ = ledger_.awake();
  leases_.clear();
  sessions_.clear();
  peers_.clear();
}

void Leases::load(const TaskRecord& record) {
  if (record.state != TaskState::in_progress) return;
  Lease lease;
  lease.fence = record.fence;
  lease.timeout = record.timeout;
  leases_[record.id] = lease;
}

// ---- what workers say ---------------------------------------------------------------------------

void Leases::hear(PeerId peer, const WorkerMessage& message) {
  Session& session = sessions_[peer];
  if (const auto* hello = std::get_if<WorkerHello>(&message)) {
    session.hello = *hello;
    std::uint32_t& credit = credits_[hello->worker];
    credit = std::max(credit, hello->credit);
  } else if (const auto* complete = std::get_if<Complete>(&message)) {
    std::uint32_t& credit = credits_[session.hello.worker];
    credit = std::max(credit, complete->credit);
  } else if (const auto* extending = std::get_if<Extend>(&message)) {
    for (const Extension& extension : extending->items) extend(peer, extension);
  } else {
    const auto newest = peers_.find(session.hello.worker);
    session.left = newest != peers_.end() && newest->second == peer;
  }
}

void Leases::extend(PeerId peer, const Extension& extension) {
  const auto found = leases_.find(extension.task);
  if (found == leases_.end() || found->second.fence != extension.fence) return;
  if (found->second.worker != sessions_[peer].hello.worker) return;
  Lease& lease = found->second;
  lease.armed = ledger_.awake();
  lease.allowed = extension.by > Duration() ? extension.by : lease.timeout;
}

// ---- what the broker decides --------------------------------------------------------------------

void Leases::decide(const Effects& effects) {
  for (const Send& send : effects.sends) {
    const auto* to_worker = std::get_if<ToWorker>(&send);
    if (to_worker == nullptr) continue;
    if (const auto* welcome = std::get_if<WorkerWelcome>(&to_worker->reply)) {
      take(to_worker->peer, *welcome);
    }
  }
  for (const Write& write : effects.writes) {
    if (const auto* task = std::get_if<PutTask>(&write)) take(task->record);
  }
  for (const Send& send : effects.sends) {
    const auto* dispatch = std::get_if<DispatchToWorker>(&send);
    if (dispatch == nullptr) continue;
    for (const DispatchToWorker::Item& item : dispatch->items) give(dispatch->peer, item.task);
  }
  check_bounds();
}

// It keeps what it holds, but what is stale; what nobody held since a restart is its own again.
void Leases::take(PeerId peer, const WorkerWelcome& welcome) {
  Session& session = sessions_[peer];
  if (session.hello.hello_number != welcome.hello_number) return;
  session.welcome = true;
  peers_[session.hello.worker] = peer;
  for (const HeldLease& held : session.hello.holding) {
    if (std::find(welcome.stale.begin(), welcome.stale.end(), held) != welcome.stale.end()) {
      continue;
    }
    const auto found = leases_.find(held.task);
    if (found == leases_.end() || found->second.fence != held.fence) continue;
    Lease& lease = found->second;
    if (lease.held && lease.worker != session.hello.worker) {
      world_.fail("P3", what(held.task, lease) + " is left to two workers");
    }
    lease.worker = session.hello.worker;
    lease.held = true;
    lease.armed = ledger_.awake();
    lease.allowed = lease.timeout;
  }
}

void Leases::take(const TaskRecord& record) {
  const auto found = leases_.find(record.id);
  if (found == leases_.end()) return;
  if (record.state != TaskState::in_progress || record.fence != found->second.fence) {
    leases_.erase(found);
  }
}

void Leases::give(PeerId peer, const DispatchedTask& task) {
  const Session& session = sessions_[peer];
  const WorkerId worker = session.hello.worker;
  Lease lease{task.fence, worker, true, task.timeout, task.timeout, ledger_.awake()};
  const std::string name = what(task.task, lease);
  if (!session.welcome) return world_.fail("P15", name + " is given to nobody");
  if (leases_.contains(task.task)) return world_.fail("P3", name + " is given out twice");
  const std::vector<std::string>& queues = session.hello.queues;
  if (std::find(queues.begin(), queues.end(), task.queue) == queues.end()) {
    world_.fail("contract", name + " is given to a worker of other queues");
  }
  leases_[task.task] = lease;
  const auto holding = std::count_if(leases_.begin(), leases_.end(), [&](const auto& entry) {
    return entry.second.held && entry.second.worker == worker;
  });
  if (holding > static_cast<std::ptrdiff_t>(credits_[worker])) {
    world_.fail("contract", name + " is more than its worker asked for");
  }
}

void Leases::check_bounds() {
  const Duration awake = ledger_.awake();
  for (const auto& [task, lease] : leases_) {
    if (!lease.held) {
      if (!stopping_ && awake - started_ > settings_.adoption_grace + kTolerance) {
        return world_.fail("P6", what(task, lease) + " waits for its worker beyond the grace");
      }
      continue;
    }
    if (ledger_.silence_of(lease.worker) > settings_.liveness.silence_max + kTolerance) {
      return world_.fail("P6", what(task, lease) + " is left to a worker that fell silent");
    }
    if (awake - lease.armed > lease.allowed + settings_.timeout_grace + kTolerance) {
      return world_.fail("P6", what(task, lease) + " runs on beyond its timeout");
    }
    const auto peer = peers_.find(lease.worker);
    if (peer != peers_.end() && sessions_[peer->second].left) {
      return world_.fail("P6", what(task, lease) + " is left to a worker that said goodbye");
    }
  }
}

std::string Leases::what(const TaskId& task, const Lease& lease) const {
  return tasks_.add(task).name() + " under fence " + std::to_string(lease.fence.value);
}

}  // namespace millrace::simulation
