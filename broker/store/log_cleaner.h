// Gives the space of what does not count any more back: from the oldest end of the log, so that
// what erases something always outlives what it erases.
#pragma once

#include "broker/store/log_appender.h"
#include "broker/store/log_index.h"
#include "broker/store/space_watch.h"

namespace millrace::broker {

// How much garbage the log may hold. In a file with room as much as what counts, and a constant;
// never more than half of the room that is left, so that garbage alone never closes the door.
ByteCount garbage_allowed(const LogIndex& index, const SpaceWatch::Level& level);

// How many bytes one commit may drop, and how many it may carry forward, when it writes `written`:
// enough to outrun any load, and bounded. Alone, with nothing to write, a commit does more.
ByteCount cleaning_work(ByteCount written, const SpaceWatch::Level& level, std::size_t page_bytes);

// Whether cleaning can do anything now.
bool needs_cleaning(const LogIndex& index, const SpaceWatch::Level& level);

// Within a transaction, before anything else is appended: drops the oldest entries in which nothing
// counts, and carries what counts in the next ones forward, up to `work` bytes of each. What is
// carried away is dropped by a later call: see SharedLogIndex.
Status clean_log(lmdb::Transaction& transaction, MDB_dbi log, const LogIndex& index,
                 LogAppender& appender, ByteCount allowed, ByteCount work);

}  // namespace millrace::broker
