#include "broker/recovery.h"

namespace millrace::broker {

Result<RecoverySummary> recover(BrokerCore& core, Store& store, const host::Clock& clock) {
  RecoverySummary summary;
  const Time began = clock.now();
  LoadVisitor visitor;
  visitor.totals = [&](const Totals& totals) { core.restore_totals(totals); };
  visitor.queue = [&](const StoredQueue& queue) {
    core.restore_queue(queue.queue, queue.name, queue.paused);
  };
  visitor.task = [&](const TaskRecord& record) {
    core.restore_task(record, clock.now());
    ++summary.tasks;
  };
  const Status loaded = store.load(visitor);
  if (!loaded.ok()) return loaded.error();
  summary.in_progress = core.in_progress();
  summary.took = clock.now() - began;
  return summary;
}

}  // namespace millrace::broker
