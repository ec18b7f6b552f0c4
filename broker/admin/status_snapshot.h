// What the broker tells about itself: plain values, immutable once published. The only thing that
// HTTP and the status messages know of the broker.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/core/core_status.h"
#include "broker/store/store.h"

namespace millrace::broker {

struct StatusHistory;

struct StatusSnapshot {
  Time taken;
  Duration uptime;
  Epoch epoch;
  std::string version;
  bool stopping = false;
  bool store_accepting = true;
  Duration loop_lag;  // the longest turn of the last second

  Totals totals;
  std::array<std::uint64_t, kTaskStates> tasks_by_state{};  // now, including retained ended tasks
  std::uint64_t invariant_violations = 0;                   // the books do not balance
  std::uint64_t stale_leases = 0;                           // completions refused
  std::uint64_t duplicates = 0;                             // submits of a known id
  std::uint64_t refused_submits = 0;
  std::uint64_t bad_messages = 0;  // could not be read, or were not allowed
  std::uint64_t unknown_beats = 0;
  std::uint64_t sends_dropped = 0;  // to peers that are gone or do not read
  std::uint64_t stalls = 0;         // times the loop itself stood still over a second
  std::uint64_t clients = 0;
  std::uint64_t watches = 0;
  std::uint64_t retained_bytes = 0;

  std::vector<QueueStatus> queues;    // by name
  std::vector<WorkerStatus> workers;  // by name

  LatencySummary queue_wait;  // pending to lease
  LatencySummary run_time;    // lease to accepted completion
  StoreUsage store_usage;
  StoreCounters store_counters;
  LatencySummary commit_time;

  std::shared_ptr<const StatusHistory> history;  // of the last hour; null: none is kept
};

using StatusPointer = std::shared_ptr<const StatusSnapshot>;

}  // namespace millrace::broker
