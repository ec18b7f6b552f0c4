#include "broker/store/log_index.h"

#include "common/base/check.h"

namespace millrace::broker {
namespace {

constexpr std::uint32_t kNumberMask = (1U << 30) - 1;
constexpr std::uint32_t kApart = 1U << 31;

}  // namespace

std::uint32_t LogIndex::pack(Place place) {
  const auto number = static_cast<std::uint32_t>(place.entry.value & kNumberMask);
  return (number + 1) | (place.apart ? kApart : 0U);
}

LogIndex::Place LogIndex::unpack(std::uint32_t packed) const {
  const std::uint32_t number = (packed & ~kApart) - 1;
  const auto oldest = static_cast<std::uint32_t>(oldest_.value & kNumberMask);
  return Place{EntryNumber(oldest_.value + ((number - oldest) & kNumberMask)),
               (packed & kApart) != 0};
}

LogIndex::Changes LogIndex::add(const LogUpdate::Entry& entry, Changes changes) {
  if (entries_.empty()) oldest_ = entry.number;
  MILLRACE_CHECK(entry.number.value == oldest_.value + entries_.size(), "entries come in order");
  MILLRACE_CHECK(entries_.size() < kNumberMask, "fewer entries than their numbers tell apart");
  const std::uint32_t record_bytes = entry.stored_bytes / entry.records;
  entries_.push_back(Entry{entry.stored_bytes, static_cast<std::uint16_t>(record_bytes), 0});
  stored_bytes_ += entry.stored_bytes;
  for (std::uint16_t left = entry.records; left > 0; --left) apply(entry.number, *changes++);
  return changes;
}

void LogIndex::apply(EntryNumber entry, const LogUpdate::Change& change) {
  switch (change.kind) {
    case RecordKind::task:
      return move(LogPart::task, change.sequence, {entry, false});
    case RecordKind::spec:
      return move(LogPart::spec, change.sequence, {entry, false});
    case RecordKind::spec_apart:
      return move(LogPart::spec, change.sequence, {entry, true});
    case RecordKind::result:
      return move(LogPart::result, change.sequence, {entry, false});
    case RecordKind::result_apart:
      return move(LogPart::result, change.sequence, {entry, true});
    case RecordKind::erase_task:
      for (const LogPart part : {LogPart::task, LogPart::spec, LogPart::result}) {
        erase(part, change.sequence);
      }
      return;
    case RecordKind::erase_spec:
      return erase(LogPart::spec, change.sequence);
    case RecordKind::totals:
      if (!totals_.is_none()) release(totals_);
      totals_ = entry;
      return hold(entry);
    case RecordKind::batch:
      return;
  }
}

void LogIndex::move(LogPart part, TaskSequence sequence, Place to) {
  const std::uint32_t old = positions(part).set(sequence, pack(to));
  if (old != 0) release(unpack(old).entry);
  hold(to.entry);
}

void LogIndex::erase(LogPart part, TaskSequence sequence) {
  const std::uint32_t old = positions(part).set(sequence, 0);
  if (old != 0) release(unpack(old).entry);
}

void LogIndex::hold(EntryNumber number) {
  Entry& entry = at(number);
  ++entry.live;
  live_bytes_ += entry.record_bytes;
}

void LogIndex::release(EntryNumber number) {
  Entry& entry = at(number);
  MILLRACE_CHECK(entry.live > 0, "a record that counts is counted");
  --entry.live;
  live_bytes_ -= entry.record_bytes;
}

void LogIndex::drop_below(EntryNumber first_kept) {
  while (oldest_ < first_kept) {
    MILLRACE_CHECK(!entries_.empty() && entries_.front().live == 0, "only garbage is dropped");
    stored_bytes_ -= entries_.front().stored_bytes;
    entries_.pop_front();
    oldest_ = oldest_.next();
  }
}

std::optional<LogIndex::Place> LogIndex::find(LogPart part, TaskSequence sequence) const {
  const std::uint32_t packed = positions(part).get(sequence);
  if (packed == 0) return std::nullopt;
  return unpack(packed);
}

bool LogIndex::is_live(EntryNumber entry, const LogRecord& record) const {
  const auto lies_here = [&](LogPart part, bool apart) {
    return positions(part).get(record.sequence) == pack({entry, apart});
  };
  switch (record.kind) {
    case RecordKind::task:
      return lies_here(LogPart::task, false);
    case RecordKind::spec:
      return lies_here(LogPart::spec, false);
    case RecordKind::spec_apart:
      return lies_here(LogPart::spec, true);
    case RecordKind::result:
      return lies_here(LogPart::result, false);
    case RecordKind::result_apart:
      return lies_here(LogPart::result, true);
    case RecordKind::totals:
      return entry == totals_;
    case RecordKind::erase_task:
    case RecordKind::erase_spec:  // nothing older than the oldest entry is left to be erased
    case RecordKind::batch:       // nor is the newest entry ever dropped
      return false;
  }
  return false;
}

}  // namespace millrace::broker
