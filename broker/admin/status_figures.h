// Figures that follow from a snapshot, worked out in one place so that JSON and Prometheus agree.
#pragma once

#include <cstdint>

#include "broker/admin/status_snapshot.h"

namespace millrace::broker {

struct WorkerFigures {
  std::uint64_t connected = 0;  // every condition but unreachable
  std::uint64_t idle = 0;
  std::uint64_t busy = 0;
  std::uint64_t draining = 0;
  std::uint64_t unreachable = 0;  // silent or cut off, the lease not yet over
  std::uint64_t slots = 0;        // of connected workers
  std::uint64_t busy_slots = 0;   // of connected workers
  double utilisation = 0;         // handler time over slot time since each connected, 0..1
};
WorkerFigures figures_of(const std::vector<WorkerStatus>& workers);

// Slots of this worker that run a task: what it holds beyond its slots is prefetched.
std::uint64_t running_on(const WorkerStatus& worker);

// How many tasks are in `state` now.
std::uint64_t tasks_in(const StatusSnapshot& snapshot, TaskState state);

// `value` in 0..1; 0 for what is not a number.
double as_ratio(double value);

// used/max of the store's map, 0..1.
double used_ratio(const StoreUsage& usage);

}  // namespace millrace::broker
