#include "broker/store/log_cleaner.h"

#include <algorithm>

#include "broker/store/layout.h"

namespace millrace::broker {
namespace {

// Garbage that is not worth the work: at most this much, and this share of a small map.
constexpr ByteCount kSlack = ByteCount::mebibytes(16);
constexpr std::uint64_t kSlackPartOfMap = 16;
// Where there is hardly any room, garbage is kept to these shares of the map and of what counts.
constexpr std::uint64_t kLeastPartOfMap = 64;
constexpr std::uint64_t kLeastPartOfLive = 16;

constexpr ByteCount kWorkBase = ByteCount::kibibytes(256);
constexpr ByteCount kWorkAlone = ByteCount::mebibytes(1);

Error missing_entry(EntryNumber entry) {
  return Error{ErrorCode::corrupt, "log entry " + std::to_string(entry.value) +
                                       " is missing; restore the data directory from a backup"};
}

Result<EntryNumber> drop_oldest(lmdb::Transaction& transaction, MDB_dbi log, const LogIndex& index,
                                ByteCount work) {
  Result<lmdb::Cursor> cursor = lmdb::Cursor::open(transaction, log);
  if (!cursor.ok()) return cursor.error();
  EntryNumber oldest = index.oldest();
  ByteCount dropped;
  while (oldest < index.newest() && index.live_records(oldest) == 0 && dropped < work) {
    const auto entry = cursor->first();
    if (!entry.ok()) return entry.error();
    if (!entry->has_value() || entry_of_key((*entry)->key) != oldest) return missing_entry(oldest);
    if (Status erased = cursor->erase_here(); !erased.ok()) return erased.error();
    dropped = dropped + index.stored_bytes(oldest);
    oldest = oldest.next();
  }
  return oldest;
}

// The entry is copied first: what is appended may move what was read.
Status carry(lmdb::Transaction& transaction, MDB_dbi log, const LogIndex& index, EntryNumber number,
             LogAppender& appender) {
  const auto bytes = transaction.get(log, Key::of_entry(number).view());
  if (!bytes.ok()) return bytes.error();
  if (!bytes->has_value()) return missing_entry(number);
  const std::vector<std::uint8_t> copy((*bytes)->begin(), (*bytes)->end());
  const Result<LogEntryView> entry = LogEntryView::open(number, copy);
  if (!entry.ok()) return entry.error();
  Status status = Done{};
  entry->for_each([&](const LogRecord& record) {
    if (status.ok() && index.is_live(number, record)) status = appender.add(transaction, record);
  });
  return status;
}

}  // namespace

ByteCount garbage_allowed(const LogIndex& index, const SpaceWatch::Level& level) {
  const std::uint64_t map = level.usage.map_bytes_max.value;
  const std::uint64_t live = index.live_bytes().value;
  const std::uint64_t slack = std::min(kSlack.value, map / kSlackPartOfMap);
  const std::uint64_t least = std::min(slack, map / kLeastPartOfMap + live / kLeastPartOfLive);
  if (!level.usage.accepting) return ByteCount(least);
  const std::uint64_t room = level.acceptable.value + index.garbage_bytes().value;
  return ByteCount(std::clamp(room / 2, least, live + slack));
}

ByteCount cleaning_work(ByteCount written, const SpaceWatch::Level& level, std::size_t page_bytes) {
  const std::uint64_t wanted =
      written == ByteCount() ? kWorkAlone.value : kWorkBase.value + 2 * written.value;
  return ByteCount(std::min(wanted, level.commit_pages / 2 * page_bytes));
}

bool needs_cleaning(const LogIndex& index, const SpaceWatch::Level& level) {
  return !index.oldest().is_none() && index.oldest() < index.newest() &&
         index.garbage_bytes() > garbage_allowed(index, level);
}

Status clean_log(lmdb::Transaction& transaction, MDB_dbi log, const LogIndex& index,
                 LogAppender& appender, ByteCount allowed, ByteCount work) {
  const Result<EntryNumber> oldest = drop_oldest(transaction, log, index, work);
  if (!oldest.ok()) return oldest.error();
  if (*oldest != index.oldest()) appender.note_dropped(*oldest);
  // Behind garbage that waits to be dropped there is no hurry.
  if (index.live_records(*oldest) == 0) return Done{};
  ByteCount carried;
  ByteCount garbage_left = index.garbage_bytes();
  for (EntryNumber entry = *oldest; entry < index.newest(); entry = entry.next()) {
    if (carried >= work || garbage_left <= allowed) break;
    const ByteCount live = index.live_bytes(entry);
    garbage_left = garbage_left - (index.stored_bytes(entry) - live);
    carried = carried + live;
    if (index.live_records(entry) == 0) continue;
    if (Status done = carry(transaction, log, index, entry, appender); !done.ok()) return done;
  }
  return Done{};
}

}  // namespace millrace::broker
