// The Store in memory, for tests and the simulator: the same order and the same answers as
// LmdbStore, with the sync in the caller's hand.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "broker/store/store.h"

namespace millrace::broker {

struct MemoryStoreSettings {
  // submit() commits at once.
  bool auto_commit = false;
};

// Deterministic; one thread. A commit is what LmdbStore's writer does: before it nothing is
// durable, and nothing can be read.
class MemoryStore final : public Store {
 public:
  explicit MemoryStore(MemoryStoreSettings settings = {}) : settings_(settings) {}

  // Makes the oldest `count` batches durable with one commit; all that wait, if there are fewer.
  void commit(std::size_t count);
  void commit_all() { commit(waiting_.size()); }
  std::size_t waiting() const { return waiting_.size(); }

  // The process dies and starts again: batches that are not durable are lost, the epoch is the
  // next, and load() finds what is left.
  void crash();

  // What usage() answers from now on.
  void set_usage(const StoreUsage& usage) { usage_ = usage; }

  Epoch epoch() const override { return epoch_; }
  Status load(const LoadVisitor& visitor) override;
  BatchNumber submit(std::vector<Write> writes) override;
  BatchNumber durable() const override { return durable_; }
  int wakeup_descriptor() const override { return -1; }
  void acknowledge_wakeup() override {}
  Result<TaskRecord> read_task(TaskSequence sequence) override;
  Result<SharedBytes> read_spec(TaskSequence sequence) override;
  Result<SharedBytes> read_result(TaskSequence sequence) override;
  Result<AttemptRecord> read_attempt(TaskSequence sequence, std::uint16_t number) override;
  StoreUsage usage() const override { return usage_; }
  StoreCounters counters() const override { return counters_; }

 private:
  using AttemptKey = std::pair<TaskSequence, std::uint16_t>;

  void apply(const PutTask& write);
  void apply(const PutSpec& write);
  void apply(const EraseSpec& write);
  void apply(const PutResult& write);
  void apply(const PutAttempt& write);
  void apply(const EraseTask& write);
  void apply(const EraseAttempts& write);
  void apply(const PutQueue& write);
  void apply(const PutTotals& write);

  MemoryStoreSettings settings_;
  Epoch epoch_{1};
  BatchNumber newest_;
  BatchNumber durable_;
  std::deque<std::vector<Write>> waiting_;
  StoreUsage usage_{ByteCount(), ByteCount::gibibytes(64), ByteCount::gibibytes(64), true};
  StoreCounters counters_;

  // What is durable. Ordered, so that load() visits as LmdbStore does.
  Totals totals_;
  std::map<QueueNumber, StoredQueue> queues_;
  std::map<TaskSequence, TaskRecord> tasks_;
  std::map<TaskSequence, SharedBytes> specs_;
  std::map<TaskSequence, SharedBytes> results_;
  std::map<AttemptKey, AttemptRecord> attempts_;
};

}  // namespace millrace::broker
