#include "tests/simulation/faults.h"

namespace millrace::simulation {

void Faults::begin(Time end) {
  end_ = end;
  for (std::size_t i = 0; i < kFaultKinds; ++i) plan_next(static_cast<FaultKind>(i));
}

void Faults::plan_next(FaultKind kind) {
  const Duration every = plan_.every(kind);
  if (every == Duration()) return;
  world_.after(world_.pick(every / 4, every * 7 / 4), [this, kind] {
    if (world_.now() >= end_) return;
    inject(kind);
    plan_next(kind);
  });
}

void Faults::inject(FaultKind kind) {
  switch (kind) {
    case FaultKind::broker_crash:
      return crash_broker();
    case FaultKind::broker_stop:
      return cluster_.broker.stop();
    case FaultKind::broker_pause:
      return cluster_.broker.pause(world_.pick(Duration::milliseconds(200), Duration::seconds(12)));
    case FaultKind::sync_stall: {
      const Duration length = world_.pick(Duration::milliseconds(100), Duration::seconds(5));
      world_.note(Happening::sync_stalls, 0, 0, length.in_milliseconds());
      return cluster_.broker.disk().stall(length);
    }
    case FaultKind::store_full:
      return fill_store();
    case FaultKind::worker_crash:
      return some_worker().crash(world_.pick(Duration::milliseconds(100), Duration::seconds(8)));
    case FaultKind::worker_pause:
      return pause_worker();
    case FaultKind::worker_drain:
      return some_worker().drain();
    case FaultKind::worker_abandon:
      return some_worker().abandon();
    case FaultKind::client_crash:
      return some_client().crash(world_.pick(Duration::milliseconds(10), Duration::seconds(5)));
    case FaultKind::wire_cut:
      return cut_wire();
    case FaultKind::partition:
      return partition();
    case FaultKind::client_pause:
      return some_client().pause(world_.pick(Duration::milliseconds(200), Duration::seconds(12)));
    case FaultKind::commit_error:
      if (cluster_.broker.is_running()) cluster_.broker.disk().fail_next_commit();
      return;
    case FaultKind::clock_jump:
      return jump_clock();
  }
}

// ---- the broker ---------------------------------------------------------------------------------

// On any host; those that run notice when they start anew.
void Faults::jump_clock() {
  const Duration most = plan_.clock_jump_max;
  const Duration error = world_.pick(Duration() - most, most);
  std::uint32_t node = 0;
  NodeClock* clock = &cluster_.broker.clock();
  if (world_.chance(500)) {
    node = 1 + world_.index(cluster_.workers.size() + cluster_.clients.size());
    clock = node <= cluster_.workers.size()
                ? &cluster_.workers[node - 1]->clock()
                : &cluster_.clients[node - 1 - cluster_.workers.size()]->clock();
  }
  world_.note(Happening::clock_jumps, node, 0, error.in_milliseconds());
  clock->set_error(error);
}

void Faults::crash_broker() {
  if (!cluster_.broker.is_running()) return;
  cluster_.broker.crash();
  const Duration down = world_.chance(150)
                            ? world_.pick(Duration::seconds(3), Duration::seconds(30))
                            : world_.pick(Duration::milliseconds(100), Duration::seconds(3));
  world_.after(down, [this] { cluster_.broker.start(); });
}

void Faults::fill_store() {
  Disk& disk = cluster_.broker.disk();
  if (!disk.accepting()) return;
  world_.note(Happening::store_fills);
  disk.set_accepting(false);
  world_.after(world_.pick(Duration::milliseconds(500), Duration::seconds(8)), [this, &disk] {
    world_.note(Happening::store_empties);
    disk.set_accepting(true);
  });
}

// ---- workers and the network --------------------------------------------------------------------

void Faults::pause_worker() {
  const Duration length = world_.chance(500)
                              ? world_.pick(Duration::milliseconds(100), Duration::seconds(2))
                              : world_.pick(Duration::milliseconds(3'500), Duration::seconds(15));
  some_worker().pause(length);
}

Route& Faults::some_route(WorkerNode*& worker) {
  const std::uint32_t index = world_.index(cluster_.workers.size() + cluster_.clients.size());
  if (index < cluster_.workers.size()) {
    worker = cluster_.workers[index].get();
    return worker->route();
  }
  worker = nullptr;
  return cluster_.clients[index - cluster_.workers.size()]->route();
}

void Faults::cut_wire() {
  WorkerNode* worker = nullptr;
  Route& route = some_route(worker);
  if (route.wire() == nullptr || !route.wire()->is_attached()) return;
  const Duration length = world_.chance(500)
                              ? world_.pick(Duration(), Duration::milliseconds(500))
                              : world_.pick(Duration::milliseconds(500), Duration::seconds(8));
  world_.note(Happening::wire_cut, route.node(), 0, length.in_milliseconds());
  if (worker != nullptr && worker->is_running()) {
    oracle_.ledger().disturbed(worker->id(), length);
    if (world_.chance(300)) {
      world_.after(world_.pick(Duration(), Duration::milliseconds(100)),
                   [worker] { worker->hint_connection_lost(); });
    }
  }
  route.cut(length);
}

void Faults::partition() {
  WorkerNode* worker = nullptr;
  Route& route = some_route(worker);
  if (route.is_blocked()) return;
  const Duration length = world_.pick(Duration::milliseconds(200), Duration::seconds(15));
  const std::uint32_t kind = world_.index(3);
  constexpr Happening kKinds[] = {Happening::partition_to_broker, Happening::partition_from_broker,
                                  Happening::partition_both_ways};
  world_.note(kKinds[kind], route.node(), 0, length.in_milliseconds());
  // Whoever runs there then, and whoever starts meanwhile.
  const auto disturb = [this, worker](Duration rest) {
    if (worker != nullptr && worker->is_running()) oracle_.ledger().disturbed(worker->id(), rest);
  };
  disturb(length);
  route.block(kind != 1, kind != 0);
  world_.after(length, [this, &route, disturb] {
    const bool breaks = world_.chance(500);
    world_.note(breaks ? Happening::partition_breaks_connection : Happening::partition_heals,
                route.node());
    disturb(Duration());
    route.unblock(breaks);
  });
}

}  // namespace millrace::simulation
