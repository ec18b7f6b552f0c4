// Turns the core's writes into records of the log, and into values of tables where they do not
// belong there: what is large, and what is rare.
#pragma once

#include <set>
#include <utility>

#include "broker/core/effect.h"
#include "broker/store/log_appender.h"
#include "broker/store/tables.h"

namespace millrace::broker {

// Writer thread only, one transaction at a time. After a failed or aborted transaction it must not
// be used again.
class WriteApplier {
 public:
  // `index` is what was published before this transaction; it must outlive this.
  WriteApplier(const Tables& tables, LogAppender appender, const LogIndex& index)
      : tables_(tables), appender_(std::move(appender)), index_(index) {}

  LogAppender& appender() { return appender_; }

  // What is written from now on belongs to this batch.
  void begin_batch(BatchNumber batch) { appender_.set_batch(batch); }
  Status apply(lmdb::Transaction& transaction, const Write& change);
  // Call before the commit.
  Status finish(lmdb::Transaction& transaction);

 private:
  Status write(lmdb::Transaction& transaction, const PutTask& change);
  Status write(lmdb::Transaction& transaction, const PutSpec& change);
  Status write(lmdb::Transaction& transaction, const EraseSpec& change);
  Status write(lmdb::Transaction& transaction, const PutResult& change);
  Status write(lmdb::Transaction& transaction, const PutAttempt& change);
  Status write(lmdb::Transaction& transaction, const EraseTask& change);
  Status write(lmdb::Transaction& transaction, const EraseAttempts& change);
  Status write(lmdb::Transaction& transaction, const PutQueue& change);
  Status write(lmdb::Transaction& transaction, const PutTotals& change);

  Status put(lmdb::Transaction& transaction, LogPart part, TaskSequence sequence,
             const SharedBytes& bytes);
  Status erase_apart(lmdb::Transaction& transaction, LogPart part, TaskSequence sequence);

  Tables tables_;
  LogAppender appender_;
  const LogIndex& index_;
  std::set<std::pair<LogPart, TaskSequence>> put_apart_;  // by this transaction
  std::optional<Totals> totals_;                          // the newest of this transaction
};

// What a write costs at most, roughly.
struct WriteSize {
  ByteCount bytes;          // it adds to the data file
  std::uint64_t pages = 0;  // it changes, outside of the log
  WriteSize& operator+=(const WriteSize& other) {
    bytes = bytes + other.bytes;
    pages += other.pages;
    return *this;
  }
};
WriteSize size_of(const Write& change);

}  // namespace millrace::broker
