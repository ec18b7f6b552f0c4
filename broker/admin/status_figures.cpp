#include "broker/admin/status_figures.h"

#include <algorithm>
#include <cmath>

namespace millrace::broker {

WorkerFigures figures_of(const std::vector<WorkerStatus>& workers) {
  WorkerFigures figures;
  double busy_seconds = 0;
  double slot_seconds = 0;
  for (const WorkerStatus& worker : workers) {
    switch (worker.condition) {
      case WorkerCondition::idle:
        ++figures.idle;
        break;
      case WorkerCondition::busy:
        ++figures.busy;
        break;
      case WorkerCondition::draining:
        ++figures.draining;
        break;
      case WorkerCondition::unreachable:
        ++figures.unreachable;
        continue;
    }
    ++figures.connected;
    figures.slots += worker.slots;
    figures.busy_slots += running_on(worker);
    busy_seconds += worker.busy_time.in_seconds();
    slot_seconds += worker.connected_for.in_seconds() * worker.slots;
  }
  if (slot_seconds > 0) figures.utilisation = as_ratio(busy_seconds / slot_seconds);
  return figures;
}

std::uint64_t running_on(const WorkerStatus& worker) {
  return std::min(worker.holding, worker.slots);
}

std::uint64_t tasks_in(const StatusSnapshot& snapshot, TaskState state) {
  return snapshot.tasks_by_state[index_of(state)];
}

double as_ratio(double value) {
  return std::isfinite(value) ? std::clamp(value, 0.0, 1.0) : 0.0;
}

double used_ratio(const StoreUsage& usage) {
  if (usage.map_bytes_max.value == 0) return 0;
  return as_ratio(static_cast<double>(usage.map_bytes_used.value) /
                  static_cast<double>(usage.map_bytes_max.value));
}

}  // namespace millrace::broker
