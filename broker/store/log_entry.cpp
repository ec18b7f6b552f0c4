#include "broker/store/log_entry.h"

#include <algorithm>
#include <string>

#include "broker/store/little_endian.h"
#include "common/base/check.h"
#include "common/base/crc32c.h"

namespace millrace::broker {
namespace {

constexpr std::uint8_t kEntryVersion = 1;
constexpr std::uint8_t kRecordVersion = 1;
constexpr std::size_t kChecksumBytes = 4;

// The entry's number is covered, so that a sound entry in the wrong place is noticed.
std::uint32_t head_checksum(EntryNumber number, std::span<const std::uint8_t> head) {
  std::array<std::uint8_t, 8> key{};
  store_little_endian(number.value, key.data());
  return crc32c(head.subspan(kChecksumBytes), crc32c(key));
}

Error damaged_entry(EntryNumber number, const char* problem) {
  return Error{ErrorCode::corrupt, "log entry " + std::to_string(number.value) + " " + problem +
                                       "; restore the data directory from a backup, and check the "
                                       "disk"};
}

bool is_of(LogPart part, RecordKind kind) {
  switch (part) {
    case LogPart::task:
      return kind == RecordKind::task;
    case LogPart::spec:
      return kind == RecordKind::spec || kind == RecordKind::spec_apart;
    case LogPart::result:
      return kind == RecordKind::result || kind == RecordKind::result_apart;
  }
  return false;
}

}  // namespace

std::string text_of(LogPart part, TaskSequence sequence) {
  constexpr std::array<const char*, 3> kNames = {"tasks/", "specs/", "results/"};
  return kNames[static_cast<std::size_t>(part)] + std::to_string(sequence.value);
}

LogRecord make_record(RecordKind kind, TaskSequence sequence, std::span<const std::uint8_t> body) {
  return LogRecord{sequence, kind, crc32c(body), body};
}

bool is_intact(const LogRecord& record) {
  return crc32c(record.body) == record.checksum;
}

// ---- building -----------------------------------------------------------------------------------

LogEntryBuilder::LogEntryBuilder(std::size_t bytes_max)
    : bytes_max_(bytes_max), directory_(bytes_max), bodies_(bytes_max) {
  MILLRACE_CHECK(bytes_max >= 256 && bytes_max <= 65'535, "an entry is about a page");
}

bool LogEntryBuilder::add(const LogRecord& record) {
  if (size() + kDirectoryBytes + record.body.size() > bytes_max_) return false;
  std::uint8_t* const place = &directory_[records_ * kDirectoryBytes];
  store_little_endian(record.sequence.value, place);
  store_little_endian(record.checksum, place + 8);
  store_little_endian(static_cast<std::uint16_t>(record.body.size()), place + 12);
  place[14] = static_cast<std::uint8_t>(record.kind);
  place[15] = kRecordVersion;
  if (!record.body.empty()) {
    std::memcpy(&bodies_[body_bytes_], record.body.data(), record.body.size());
  }
  body_bytes_ += record.body.size();
  ++records_;
  return true;
}

void LogEntryBuilder::finish(EntryNumber number, Epoch epoch, BatchNumber batch,
                             std::span<std::uint8_t> entry) {
  MILLRACE_CHECK(entry.size() == size(), "room for the entry, no more and no less");
  entry[4] = kEntryVersion;
  entry[5] = 0;
  store_little_endian(records_, &entry[6]);
  store_little_endian(epoch.value, &entry[8]);
  store_little_endian(batch.value, &entry[16]);
  const std::size_t head_bytes = kEntryHeaderBytes + records_ * kDirectoryBytes;
  std::memcpy(&entry[kEntryHeaderBytes], directory_.data(), records_ * kDirectoryBytes);
  std::copy_n(bodies_.data(), body_bytes_, entry.data() + head_bytes);
  store_little_endian(head_checksum(number, entry.first(head_bytes)), entry.data());
  records_ = 0;
  body_bytes_ = 0;
}

// ---- reading ------------------------------------------------------------------------------------

Result<LogEntryView> LogEntryView::open(EntryNumber number, std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kEntryHeaderBytes) return damaged_entry(number, "is cut short");
  const auto records = load_little_endian<std::uint16_t>(&bytes[6]);
  const LogEntryView view(bytes, records);
  if (records == 0) return damaged_entry(number, "is empty");
  if (bytes.size() < view.body_offset()) return damaged_entry(number, "is cut short");
  const std::uint32_t sum = head_checksum(number, bytes.first(view.body_offset()));
  if (load_little_endian<std::uint32_t>(bytes.data()) != sum) {
    return damaged_entry(number, "does not match its checksum");
  }
  if (bytes[4] != kEntryVersion) return damaged_entry(number, "has an unknown version");
  std::size_t end = view.body_offset();
  for (std::size_t place = 0; place < records; ++place) {
    const std::uint8_t* const at = &bytes[kEntryHeaderBytes + place * kDirectoryBytes];
    end += load_little_endian<std::uint16_t>(at + 12);
    if (at[14] == 0 || at[14] > kRecordKindLast || at[15] != kRecordVersion) {
      return damaged_entry(number, "has a record of an unknown kind");
    }
  }
  if (end != bytes.size()) return damaged_entry(number, "has another length than its records");
  return view;
}

Epoch LogEntryView::epoch() const {
  return Epoch(load_little_endian<std::uint64_t>(&bytes_[8]));
}
BatchNumber LogEntryView::batch() const {
  return BatchNumber(load_little_endian<std::uint64_t>(&bytes_[16]));
}

LogRecord LogEntryView::record_at(std::size_t place, std::size_t body) const {
  const std::uint8_t* const at = &bytes_[kEntryHeaderBytes + place * kDirectoryBytes];
  return LogRecord{TaskSequence(load_little_endian<std::uint64_t>(at)),
                   static_cast<RecordKind>(at[14]), load_little_endian<std::uint32_t>(at + 8),
                   bytes_.subspan(body, load_little_endian<std::uint16_t>(at + 12))};
}

std::optional<LogRecord> LogEntryView::find(LogPart part, TaskSequence sequence) const {
  std::optional<LogRecord> found;
  for_each([&](const LogRecord& record) {
    if (record.sequence == sequence && is_of(part, record.kind)) found = record;
  });
  return found;
}

}  // namespace millrace::broker
