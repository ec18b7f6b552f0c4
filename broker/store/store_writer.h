// The writer thread: group commit of whatever has gathered, and what the rest of the broker may
// know about it.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "broker/store/shared_log_index.h"
#include "broker/store/space_watch.h"
#include "broker/store/store.h"
#include "broker/store/wakeup.h"
#include "broker/store/write_applier.h"

namespace millrace::broker {

// Owns the only thread that writes to the environment. There is no timer: a commit takes all
// batches that gathered during the one before, so it is one batch when little happens and many in a
// burst. Batches are never split and never reordered. Commits also clean the log, a bounded piece
// each; when there is nothing to write, cleaning goes on in commits of its own.
class StoreWriter {
 public:
  // `last`: the number of the newest durable batch. Everything given must outlive this.
  StoreWriter(const lmdb::Environment& environment, MDB_dbi log, WriteApplier applier,
              SharedLogIndex& index, SpaceWatch space, SpaceWatch::Level level, Wakeup wakeup,
              BatchNumber last, FailureHandler on_failure);
  // Commits what was submitted, then ends the thread.
  ~StoreWriter();
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;

  // One thread, the loop's. Requires at least one write; numbers must be consecutive.
  void submit(BatchNumber number, std::vector<Write> writes);

  // Any thread.
  BatchNumber durable() const { return BatchNumber(durable_.load(std::memory_order_acquire)); }
  StoreUsage usage() const;
  StoreCounters counters() const;
  LatencySummary commit_times() const;
  const Wakeup& wakeup() const { return wakeup_; }

 private:
  struct Batch {
    BatchNumber number;
    std::vector<Write> writes;
    WriteSize size;
  };
  // What one transaction wrote.
  struct Group {
    std::uint64_t batches = 0;
    std::uint64_t writes = 0;
    WriteSize size;
  };

  void run();
  // Swaps the mailbox into `taken`, after waiting for something to do. False: asked to end.
  bool wait(std::vector<Batch>& taken);
  Status commit_all(std::span<const Batch> batches);
  Status tidy_up();
  Group next_group(std::span<const Batch> batches) const;
  // Without batches it only cleans.
  Status commit_group(std::span<const Batch> batches, const Group& group);
  Status clean(lmdb::Transaction& transaction, ByteCount written);
  // `taken`: bytes that are queued no more.
  Status refresh_space(ByteCount written, ByteCount taken);
  void announce(const Group& group, BatchNumber last, Duration took);

  const lmdb::Environment& environment_;
  const MDB_dbi log_;
  WriteApplier applier_;
  SharedLogIndex& index_;
  SpaceWatch space_;
  FailureHandler on_failure_;
  Wakeup wakeup_;
  std::atomic<std::uint64_t> durable_;
  std::atomic<std::uint64_t> queued_bytes_{0};  // submitted and not yet part of level_

  std::mutex mailbox_mutex_;
  std::condition_variable mailbox_filled_;
  std::vector<Batch> mailbox_;  // guarded by mailbox_mutex_
  bool ending_ = false;         // guarded by mailbox_mutex_

  mutable std::mutex report_mutex_;
  SpaceWatch::Level level_;   // guarded by report_mutex_
  StoreCounters counters_;    // guarded by report_mutex_
  LatencySummary durations_;  // guarded by report_mutex_

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace millrace::broker
