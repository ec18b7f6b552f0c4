// The seam to durability. One writer at a time; batches are numbered and carry the epoch, so that a
// batch can later be shipped to a standby behind this same interface.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "broker/core/effect.h"
#include "common/base/latency.h"
#include "common/base/result.h"

namespace millrace::broker {

// What a restart finds: everything a core needs to go on.
struct StoredQueue {
  QueueNumber queue;
  std::string name;
  bool paused = false;
};
struct LoadVisitor {
  std::function<void(const Totals&)> totals;      // first, once
  std::function<void(const StoredQueue&)> queue;  // then every queue
  std::function<void(const TaskRecord&)> task;    // then every task, by rising sequence
};

// How full the store is.
struct StoreUsage {
  ByteCount map_bytes_used;
  ByteCount map_bytes_max;
  ByteCount disk_bytes_free;
  bool accepting = true;  // below the watermark: submits may be accepted
};

// Counters for /metrics; all since start.
struct StoreCounters {
  std::uint64_t commits = 0;
  std::uint64_t batches = 0;
  std::uint64_t writes = 0;
  Duration commit_time_total;
  Duration commit_time_max;
};

// Threads: submit, durable, usage, counters and the reads may be called from the loop thread only,
// unless an implementation says more.
class Store {
 public:
  virtual ~Store() = default;

  // The epoch of this start: one more than the last, already durable when the store is open.
  virtual Epoch epoch() const = 0;

  // Visits everything stored, once, before the first submit. Errors: corrupt, io.
  virtual Status load(const LoadVisitor& visitor) = 0;

  // Takes a batch and returns its number, at once; the batch becomes durable later, batches in
  // order, several with one sync. An empty batch is not written and gets the number of the newest
  // batch. A failed write or sync ends the process (fail-stop): what was in flight is unknown.
  virtual BatchNumber submit(std::vector<Write> writes) = 0;

  // Everything up to and with this batch is durable.
  virtual BatchNumber durable() const = 0;

  // A file descriptor that becomes readable when durable() has grown; -1 where there is none. The
  // loop polls it and calls acknowledge_wakeup() to reset it.
  virtual int wakeup_descriptor() const = 0;
  virtual void acknowledge_wakeup() = 0;

  // Reads of what durable batches wrote. not_found when there is nothing; corrupt when a checksum
  // fails. The bytes are copies and stay valid.
  virtual Result<TaskRecord> read_task(TaskSequence sequence) = 0;
  virtual Result<SharedBytes> read_spec(TaskSequence sequence) = 0;
  virtual Result<SharedBytes> read_result(TaskSequence sequence) = 0;
  virtual Result<AttemptRecord> read_attempt(TaskSequence sequence, std::uint16_t number) = 0;

  virtual StoreUsage usage() const = 0;
  virtual StoreCounters counters() const = 0;
  // How long commits took; empty where an implementation does not measure.
  virtual LatencySummary commit_times() const { return {}; }
};

}  // namespace millrace::broker
