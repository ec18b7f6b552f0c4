// What the broker tells about itself: plain values, immutable once published. The only thing that
// HTTP and the status messages know of the broker.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/core/effect.h"
#include "broker/store/store.h"

namespace millrace::broker {

// Counts and quantiles of a duration since start: powers-of-two buckets from 1 us; see latency.h.
struct LatencySummary {
  // bucket[i] counts durations <= 2^i microseconds and above 2^(i-1); the last takes the rest.
  static constexpr std::size_t kBuckets = 32;
  std::array<std::uint64_t, kBuckets> buckets{};
  std::uint64_t count = 0;
  Duration total;
};

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
    case WorkerCondition::idle: return "idle";
    case WorkerCondition::busy: return "busy";
    case WorkerCondition::draining: return "draining";
    case WorkerCondition::unreachable: return "unreachable";
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
  std::uint32_t holding = 0;        // leases: running and prefetched
  std::uint64_t tasks_completed = 0;  // succeeded here since the worker connected
  std::uint64_t tasks_failed = 0;
  Duration busy_time;               // handler time reported by completions
  Duration connected_for;
  double utilisation = 0;           // busy_time / (connected_for * slots), 0..1
  Duration last_heard_age;
  std::string version;
};

struct StatusSnapshot {
  Time taken;
  Duration uptime;
  Epoch epoch;
  std::string version;
  bool stopping = false;
  bool store_accepting = true;
  Duration loop_lag;                // the longest turn of the last second

  Totals totals;
  std::array<std::uint64_t, kTaskStates> tasks_by_state{};  // now, including retained ended tasks
  std::uint64_t invariant_violations = 0;   // the books do not balance
  std::uint64_t stale_leases = 0;           // completions refused
  std::uint64_t duplicates = 0;             // submits of a known id
  std::uint64_t refused_submits = 0;
  std::uint64_t bad_messages = 0;           // could not be read; dropped and counted
  std::uint64_t unknown_beats = 0;
  std::uint64_t sends_dropped = 0;          // to peers that are gone or do not read
  std::uint64_t stalls = 0;                 // times the loop itself stood still over a second
  std::uint64_t clients = 0;
  std::uint64_t watches = 0;
  std::uint64_t retained_bytes = 0;

  std::vector<QueueStatus> queues;    // by name
  std::vector<WorkerStatus> workers;  // by name

  LatencySummary queue_wait;          // pending to lease
  LatencySummary run_time;            // lease to accepted completion
  StoreUsage store_usage;
  StoreCounters store_counters;
  LatencySummary commit_time;
};

using StatusPointer = std::shared_ptr<const StatusSnapshot>;

}  // namespace millrace::broker
