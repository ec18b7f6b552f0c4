// Appends records to the log within one transaction, an entry at a time.
#pragma once

#include "broker/store/lmdb_env.h"
#include "broker/store/log_index.h"

namespace millrace::broker {

// Records up to this size lie in the log; what is larger lies apart, because it would be carried
// along with them. Two fit an entry.
inline constexpr std::size_t kInlineBytesMost = 2'000;

// What an entry takes of the data file.
std::uint32_t stored_bytes_of_entry(std::size_t entry_bytes, std::size_t page_bytes);

// Writer thread only. After a failed or aborted transaction it must not be used again.
class LogAppender {
 public:
  // `next`: the number of the entry that is written first. `page_bytes`: of the data file; an entry
  // is kept in one page at most, so that no write needs a run of free pages. `last`: the newest
  // batch that is stored.
  LogAppender(MDB_dbi log, std::size_t page_bytes, Epoch epoch, EntryNumber next, BatchNumber last);

  // What follows belongs to this batch.
  void set_batch(BatchNumber batch) { batch_ = batch; }

  // Requires a body of at most kInlineBytesMost.
  Status add(lmdb::Transaction& transaction, const LogRecord& record);
  // Writes the entry that is not full yet, and one in any case when the batch is new: the newest
  // entry tells a restart the number of the newest batch. Call before the commit.
  Status finish(lmdb::Transaction& transaction);

  // What was written since clear_update().
  const LogUpdate& update() const { return update_; }
  // The entries below were dropped from the table within the same transaction.
  void note_dropped(EntryNumber first_kept) { update_.first_kept = first_kept; }
  void clear_update() { update_.clear(); }

 private:
  Status write_entry(lmdb::Transaction& transaction);

  MDB_dbi log_;
  std::size_t page_bytes_;
  Epoch epoch_;
  BatchNumber batch_;
  BatchNumber written_batch_;  // of the newest entry
  EntryNumber next_;
  LogEntryBuilder builder_;
  LogUpdate update_;
};

}  // namespace millrace::broker
