// The Store on LMDB: a log of batches, cleaned from its oldest end; see docs/decisions/0013.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "broker/store/data_directory.h"
#include "broker/store/lmdb_env.h"
#include "broker/store/log_scan.h"
#include "broker/store/store.h"
#include "broker/store/store_settings.h"
#include "broker/store/store_writer.h"
#include "broker/store/tables.h"

namespace millrace::broker {

// Threads: submit, load, the reads and acknowledge_wakeup from the loop thread only; durable,
// usage, counters, commit_times and epoch from any.
class LmdbStore final : public Store {
 public:
  // Opens or creates the data directory, locks it, and begins a new epoch, durable on return.
  // Errors, each one line: misconfigured (settings, another broker holds it, a newer format),
  // corrupt, store_full, io. A directory that is refused is left as it was.
  static Result<std::unique_ptr<LmdbStore>> open(const StoreSettings& settings,
                                                 FailureHandler on_failure = exit_on_store_failure);

  // Commits what was submitted, then lets go of the directory.
  ~LmdbStore() override;

  Epoch epoch() const override { return epoch_; }
  Status load(const LoadVisitor& visitor) override;
  BatchNumber submit(std::vector<Write> writes) override;
  BatchNumber durable() const override { return writer_->durable(); }
  int wakeup_descriptor() const override { return writer_->wakeup().descriptor(); }
  void acknowledge_wakeup() override;
  Result<TaskRecord> read_task(TaskSequence sequence) override;
  Result<SharedBytes> read_spec(TaskSequence sequence) override;
  Result<SharedBytes> read_result(TaskSequence sequence) override;
  Result<AttemptRecord> read_attempt(TaskSequence sequence, std::uint16_t number) override;
  // Cheap enough for every turn. Counts what is queued: it may say no before the writer gets there.
  StoreUsage usage() const override { return writer_->usage(); }
  StoreCounters counters() const override { return writer_->counters(); }
  LatencySummary commit_times() const override { return writer_->commit_times(); }

  // Random, drawn when the data directory was made.
  const std::array<std::uint8_t, 16>& store_id() const { return store_id_; }

 private:
  LmdbStore(DataDirectory directory, lmdb::Environment environment)
      : directory_(std::move(directory)), environment_(std::move(environment)) {}
  Status start(const StoreSettings& settings, ScannedLog scanned, FailureHandler on_failure);
  Status start_writer(const StoreSettings& settings, ScannedLog scanned, FailureHandler on_failure);
  Result<SharedBytes> read(LogPart part, TaskSequence sequence);
  // Both with the index locked: a snapshot at least as new as the index, as SharedLogIndex asks
  // for.
  Status renew_snapshot(std::uint64_t commits);
  Status load_all(const LogIndex& index, const LoadVisitor& visitor);
  void release_snapshot();

  DataDirectory directory_;
  lmdb::Environment environment_;
  Tables tables_;
  std::array<std::uint8_t, 16> store_id_{};
  Epoch epoch_;
  BatchNumber newest_;  // the last one given out

  // The reads of one turn share a snapshot. It is let go before the loop may sleep, since the pages
  // of an old snapshot cannot be reused.
  std::optional<lmdb::Transaction> snapshot_;
  std::uint64_t snapshot_commits_ = 0;  // 0: not held

  std::optional<SharedLogIndex> index_;

  std::unique_ptr<StoreWriter> writer_;  // last: its end needs all of the above
};

}  // namespace millrace::broker
