#include "broker/store/log_scan.h"

#include <vector>

#include "broker/store/layout.h"
#include "broker/store/log_appender.h"

namespace millrace::broker {

Result<ScannedLog> index_log(const lmdb::Transaction& transaction, MDB_dbi log,
                             std::size_t page_bytes) {
  Result<lmdb::Cursor> cursor = lmdb::Cursor::open(transaction, log);
  if (!cursor.ok()) return cursor.error();
  ScannedLog scanned;
  std::vector<LogUpdate::Change> changes;
  EntryNumber expected;
  auto entry = cursor->first();
  for (; entry.ok() && entry->has_value(); entry = cursor->next()) {
    const EntryNumber number = entry_of_key((*entry)->key);
    if (number.is_none() || (!expected.is_none() && number != expected)) {
      return Error{ErrorCode::corrupt, "the log has entry " + std::to_string(number.value) +
                                           " where " + std::to_string(expected.value) +
                                           " should be; restore the data directory from a backup"};
    }
    const lmdb::BytesView bytes = (*entry)->value;
    const Result<LogEntryView> view = LogEntryView::open(number, bytes);
    if (!view.ok()) return view.error();
    changes.clear();
    view->for_each([&changes](const LogRecord& record) {
      changes.push_back({record.sequence, record.kind});
    });
    scanned.index.add({number, stored_bytes_of_entry(bytes.size(), page_bytes), view->records()},
                      changes.begin());
    scanned.last_batch = view->batch();
    scanned.next = expected = number.next();
  }
  if (!entry.ok()) return entry.error();
  return scanned;
}

}  // namespace millrace::broker
