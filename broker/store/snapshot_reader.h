// Reads what one snapshot of the data file holds: for the store, and for the tools that look at a
// data directory from outside.
#pragma once

#include <optional>

#include "broker/store/lmdb_env.h"
#include "broker/store/log_index.h"
#include "broker/store/store.h"
#include "broker/store/tables.h"

namespace millrace::broker {

// Short-lived: the transaction must outlive it and be neither reset nor renewed meanwhile.
class SnapshotReader {
 public:
  SnapshotReader(const lmdb::Transaction& transaction, const Tables& tables)
      : transaction_(transaction), tables_(tables) {}

  // As Store::load. `index` must be of this snapshot, or of one before without a dropped entry.
  Status load(const LogIndex& index, const LoadVisitor& visitor);

  // Errors: corrupt when it is damaged or not where the index says; io.
  Result<TaskRecord> read_task(TaskSequence sequence, EntryNumber entry);
  // A spec or a result. Errors: not_found, corrupt, io.
  Result<SharedBytes> read(LogPart part, TaskSequence sequence,
                           const std::optional<LogIndex::Place>& place);
  Result<AttemptRecord> read_attempt(TaskSequence sequence, std::uint16_t number);
  // Zeros when none were ever written.
  Result<Totals> read_totals(EntryNumber entry);
  // By rising number; stops at the first error.
  Status visit_queues(const std::function<void(const StoredQueue&)>& visit);

 private:
  // Remembers the entry it was at: what lies near each other is asked for one after the other.
  Result<const LogEntryView*> entry(EntryNumber number);

  const lmdb::Transaction& transaction_;
  const Tables& tables_;
  EntryNumber number_;
  std::optional<LogEntryView> view_;
};

}  // namespace millrace::broker
