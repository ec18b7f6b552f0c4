// The log read from its beginning to its end, as at a start.
#pragma once

#include "broker/store/lmdb_env.h"
#include "broker/store/log_index.h"

namespace millrace::broker {

struct ScannedLog {
  LogIndex index;
  BatchNumber last_batch;  // none: nothing was ever written
  EntryNumber next{1};
};
// Errors: corrupt, when a header or directory is damaged or an entry is missing between others; io.
Result<ScannedLog> index_log(const lmdb::Transaction& transaction, MDB_dbi log,
                             std::size_t page_bytes);

}  // namespace millrace::broker
