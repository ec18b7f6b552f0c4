#include "broker/store/log_scan.h"

#include "broker/store/layout.h"

namespace millrace::broker {

Status scan_log(const lmdb::Transaction& transaction, MDB_dbi log, const VisitEntry& visit) {
  Result<lmdb::Cursor> cursor = lmdb::Cursor::open(transaction, log);
  if (!cursor.ok()) return cursor.error();
  EntryNumber expected;
  auto entry = cursor->first();
  for (; entry.ok() && entry->has_value(); entry = cursor->next()) {
    const EntryNumber number = entry_of_key((*entry)->key);
    if (number.is_none() || (!expected.is_none() && number != expected)) {
      return Error{ErrorCode::corrupt, "the log has entry " + std::to_string(number.value) +
                                           " where " + std::to_string(expected.value) +
                                           " should be; restore the data directory from a backup"};
    }
    const Result<LogEntryView> view = LogEntryView::open(number, (*entry)->value);
    if (!view.ok()) return view.error();
    if (Status visited = visit(number, (*entry)->value, *view); !visited.ok()) return visited;
    expected = number.next();
  }
  if (!entry.ok()) return entry.error();
  return Done{};
}

Result<ScannedLog> index_log(const lmdb::Transaction& transaction, MDB_dbi log,
                             std::size_t page_bytes) {
  ScannedLog scanned;
  std::vector<LogUpdate::Change> changes;
  const Status done =
      scan_log(transaction, log,
               [&](EntryNumber number, lmdb::BytesView bytes, const LogEntryView& entry) -> Status {
                 changes.clear();
                 entry.for_each([&](const LogRecord& record) {
                   changes.push_back({record.sequence, record.kind});
                 });
                 scanned.index.add(
                     {number, stored_bytes_of_entry(bytes.size(), page_bytes), entry.records()},
                     changes.begin());
                 scanned.last_batch = entry.batch();
                 scanned.next = number.next();
                 return Done{};
               });
  if (!done.ok()) return done.error();
  return scanned;
}

}  // namespace millrace::broker
