#include "broker/status_board.h"

#include <algorithm>

#include "broker/admin/status_json.h"

namespace millrace::broker {

void StatusBoard::publish(const host::Clock& clock, const BrokerCore& core, const Store& store,
                          const ShellFigures& figures) {
  const Time now = clock.now();
  auto snapshot = std::make_shared<StatusSnapshot>();
  CoreStatus status = core.status(now);
  snapshot->taken = now;
  snapshot->uptime = now - started_;
  snapshot->epoch = core.settings().epoch;
  snapshot->version = version_;
  snapshot->stopping = figures.stopping;
  snapshot->loop_lag = figures.loop_lag;
  snapshot->bad_messages = figures.bad_messages;
  snapshot->sends_dropped = figures.sends_dropped;
  snapshot->totals = status.totals;
  snapshot->tasks_by_state = status.tasks_by_state;
  snapshot->invariant_violations = status.counters.invariant_violations;
  snapshot->stale_leases = status.counters.stale_leases;
  snapshot->duplicates = status.counters.duplicates;
  snapshot->refused_submits = status.counters.refused_submits;
  snapshot->unknown_beats = status.counters.unknown_beats;
  snapshot->stalls = status.counters.stalls;
  snapshot->clients = status.clients;
  snapshot->watches = status.watches;
  snapshot->retained_bytes = status.retained_bytes;
  snapshot->queues = std::move(status.queues);
  snapshot->workers = std::move(status.workers);
  snapshot->queue_wait = status.queue_wait;
  snapshot->run_time = status.run_time;
  snapshot->store_usage = store.usage();
  snapshot->store_accepting = snapshot->store_usage.accepting;
  snapshot->store_counters = store.counters();
  snapshot->commit_time = store.commit_times();
  snapshot->history = recorder_.note(*snapshot);
  const Time end = clock.now();
  next_ = end + std::max(kIntervalMin, (end - now) * kCostFactor);
  const std::lock_guard lock(mutex_);
  newest_ = std::move(snapshot);
}

std::string StatusBoard::document(StatusTopic topic) const {
  const StatusPointer snapshot = newest();
  if (snapshot == nullptr) return "{}";
  switch (topic) {
    case StatusTopic::metrics:
      return metrics_json(*snapshot);
    case StatusTopic::workers:
      return workers_json(*snapshot);
    case StatusTopic::queues:
      return queues_json(*snapshot);
  }
  return "{}";
}

}  // namespace millrace::broker
