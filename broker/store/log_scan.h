// A walk over the whole log, oldest entry first: what a restart does, and what the tools do.
#pragma once

#include <functional>

#include "broker/store/lmdb_env.h"
#include "broker/store/log_appender.h"
#include "broker/store/log_index.h"

namespace millrace::broker {

// Calls `visit` for every entry. Errors: corrupt, when a header or directory is damaged or an entry
// is missing between others; what `visit` returns; io.
using VisitEntry = std::function<Status(EntryNumber, lmdb::BytesView bytes, const LogEntryView&)>;
Status scan_log(const lmdb::Transaction& transaction, MDB_dbi log, const VisitEntry& visit);

struct ScannedLog {
  LogIndex index;
  BatchNumber last_batch;  // none: nothing was ever written
  EntryNumber next{1};
};
Result<ScannedLog> index_log(const lmdb::Transaction& transaction, MDB_dbi log,
                             std::size_t page_bytes);

}  // namespace millrace::broker
