// What is where in the log, and how much of it still counts. In memory only; a restart reads it
// back from the log. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "broker/store/log_entry.h"
#include "broker/store/position_table.h"
#include "common/base/bytes.h"

namespace millrace::broker {

// Entries and records of one commit, in the order of the log.
struct LogUpdate {
  struct Entry {
    EntryNumber number;
    std::uint32_t stored_bytes = 0;  // what it takes of the data file
    std::uint16_t records = 0;
  };
  struct Change {
    TaskSequence sequence;
    RecordKind kind = RecordKind::task;
  };
  std::vector<Entry> entries;
  std::vector<Change> changes;  // of all entries, one after the other
  EntryNumber first_kept;       // entries below it were dropped; none: nothing was

  void clear() {
    entries.clear();
    changes.clear();
    first_kept = EntryNumber();
  }
};

// Not thread-safe, but reads may run beside reads.
class LogIndex {
 public:
  using Changes = std::vector<LogUpdate::Change>::const_iterator;
  // Takes the entry's records from `changes`, and returns where those of the next one begin.
  // Entries come by consecutive numbers; the first one may have any.
  Changes add(const LogUpdate::Entry& entry, Changes changes);
  // Requires that nothing counts in what is dropped.
  void drop_below(EntryNumber first_kept);

  struct Place {
    EntryNumber entry;
    bool apart = false;  // the entry says that the bytes lie in the table of large ones
  };
  std::optional<Place> find(LogPart part, TaskSequence sequence) const;
  EntryNumber totals_entry() const { return totals_; }
  // Does this record of this entry count?
  bool is_live(EntryNumber entry, const LogRecord& record) const;

  // none: the log is empty.
  EntryNumber oldest() const { return entries_.empty() ? EntryNumber() : oldest_; }
  EntryNumber newest() const { return EntryNumber(oldest_.value + entries_.size() - 1); }
  // Of an entry between the oldest and the newest: records that count, what it takes of the data
  // file, and the share of that which counts, taking its records as equally large.
  std::uint16_t live_records(EntryNumber entry) const { return at(entry).live; }
  ByteCount stored_bytes(EntryNumber entry) const { return ByteCount(at(entry).stored_bytes); }
  ByteCount live_bytes(EntryNumber entry) const {
    return ByteCount(std::uint64_t{at(entry).live} * at(entry).record_bytes);
  }

  // Of all entries.
  ByteCount stored_bytes() const { return ByteCount(stored_bytes_); }
  ByteCount live_bytes() const { return ByteCount(live_bytes_); }
  ByteCount garbage_bytes() const { return ByteCount(stored_bytes_ - live_bytes_); }

  // Calls `visit(TaskSequence, Place)` for all that have this part, by rising sequence, as long as
  // it returns true.
  template <class Visit>
  void for_each(LogPart part, Visit visit) const {
    positions(part).for_each([&](TaskSequence sequence, std::uint32_t packed) {
      return visit(sequence, unpack(packed));
    });
  }

 private:
  struct Entry {
    std::uint32_t stored_bytes = 0;
    std::uint16_t record_bytes = 0;  // its share of them
    std::uint16_t live = 0;
  };
  // A place as one number that is not 0. Entry numbers are cut to 30 bits: there are never as many
  // entries at a time.
  static std::uint32_t pack(Place place);
  Place unpack(std::uint32_t packed) const;

  PositionTable& positions(LogPart part) { return positions_[static_cast<std::size_t>(part)]; }
  const PositionTable& positions(LogPart part) const {
    return positions_[static_cast<std::size_t>(part)];
  }
  const Entry& at(EntryNumber entry) const { return entries_[entry.value - oldest_.value]; }
  Entry& at(EntryNumber entry) { return entries_[entry.value - oldest_.value]; }
  void apply(EntryNumber entry, const LogUpdate::Change& change);
  void move(LogPart part, TaskSequence sequence, Place to);
  void erase(LogPart part, TaskSequence sequence);
  void hold(EntryNumber entry);
  void release(EntryNumber entry);

  std::array<PositionTable, 3> positions_;  // by LogPart
  EntryNumber totals_;
  EntryNumber oldest_{1};
  std::deque<Entry> entries_;
  std::uint64_t stored_bytes_ = 0;
  std::uint64_t live_bytes_ = 0;
};

}  // namespace millrace::broker
