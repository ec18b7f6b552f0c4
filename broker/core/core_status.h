// What the core tells about itself, as plain values.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/core/effect.h"
#include "common/base/latency.h"

namespace millrace::broker {

struct QueueStatus {
  std::string name;
  bool paused = false;
  std::uint64_t delayed = 0;
  std::uint64_t pending = 0;
  std::uint64_t in_progress = 0;
  std::uint64_t dead = 0;
  Duration oldest_pending_age;  // zero when nothing is pending
  std::uint32_t workers = 0;    // connected workers that serve it
};

enum class WorkerCondition : std::uint8_t { idle = 1, busy = 2, draining = 3, unreachable = 4 };
constexpr const char* name_of(WorkerCondition condition) {
  switch (condition) {
    case WorkerCondition::idle:
      return "idle";
    case WorkerCondition::busy:
      return "busy";
    case WorkerCondition::draining:
      return "draining";
    case WorkerCondition::unreachable:
      return "unreachable";
  }
  return "unknown";
}

struct WorkerStatus {
  std::string name;
  WorkerId id;
  WorkerCondition condition = WorkerCondition::idle;
  std::vector<std::string> queues;
  std::uint32_t slots = 0;
  std::uint32_t credit = 0;
  std::uint32_t holding = 0;          // leases: running and prefetched
  std::uint64_t tasks_completed = 0;  // succeeded here since the worker connected
  std::uint64_t tasks_failed = 0;
  Duration busy_time;  // handler time reported by completions
  Duration connected_for;
  double utilisation = 0;  // busy_time / (connected_for * slots), 0..1
  Duration last_heard_age;
  std::string version;
};

// Counters that are not part of the durable books: since the start of this process.
struct CoreCounters {
  std::uint64_t invariant_violations = 0;  // the books did not balance
  std::uint64_t stale_leases = 0;          // completions refused
  std::uint64_t duplicates = 0;            // submits of a known id
  std::uint64_t refused_submits = 0;
  std::uint64_t unknown_beats = 0;
  std::uint64_t stalls = 0;          // times the loop itself stood still for over a second
  std::uint64_t workers_lost = 0;    // fell silent
  std::uint64_t adopted_leases = 0;  // taken up again by their workers after a restart
  std::uint64_t recalled_tasks = 0;  // handed back unstarted because another worker idled
};

struct CoreStatus {
  Totals totals;
  CoreCounters counters;
  std::array<std::uint64_t, kTaskStates> tasks_by_state{};  // now, with retained ended tasks
  std::uint64_t clients = 0;
  std::uint64_t watches = 0;
  std::uint64_t retained_bytes = 0;
  std::vector<QueueStatus> queues;    // by name
  std::vector<WorkerStatus> workers;  // by name
  LatencySummary queue_wait;          // pending to lease
  LatencySummary run_time;            // lease to accepted completion
};

}  // namespace millrace::broker
