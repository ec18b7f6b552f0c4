// One entry of the log: up to a page of records, one after the other. Pure; knows nothing of LMDB.
//
//   header, 24 bytes   CRC32C over the entry's number, the rest of the header and the directory (4)
//   ·
//                      entry version (1) · 0 (1) · records (2) · epoch (8) · newest batch (8)
//   directory          per record: sequence (8) · CRC32C of the body (4) · body bytes (2) · kind
//   (1)
//                      · record version (1)
//   bodies             in the order of the directory, without gaps
//
// Numbers are little-endian. The directory has a checksum apart from the bodies', so that a walk
// over the log need not read what it does not want, and a damaged body has a name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/base/ids.h"
#include "common/base/result.h"

namespace millrace::broker {

// From 1, consecutive, never reused: the order of the log.
using EntryNumber = Number<struct EntryTag>;

// What a record says. On disk: append only, never reuse.
enum class RecordKind : std::uint8_t {
  task = 1,          // record.fbs TaskV1
  spec = 2,          // TaskSpec, the client's bytes
  result = 3,        // the worker's bytes
  spec_apart = 4,    // no body: the spec lies in the table of large ones
  result_apart = 5,  // no body
  erase_task = 6,    // no body: the task, its spec and its result are gone
  erase_spec = 7,    // no body
  totals = 8,        // record.fbs TotalsV1; sequence 0
  batch = 9,         // no body; sequence 0: a batch that changed nothing in the log
};
inline constexpr std::uint8_t kRecordKindLast = 9;

// What a record belongs to: of each, the newest record of a sequence counts.
enum class LogPart : std::uint8_t { task = 0, spec = 1, result = 2 };
// "tasks/17": the name people know a part by.
std::string text_of(LogPart part, TaskSequence sequence);

struct LogRecord {
  TaskSequence sequence;
  RecordKind kind = RecordKind::task;
  std::uint32_t checksum = 0;          // what the body should have
  std::span<const std::uint8_t> body;  // not yet checked against it
};
LogRecord make_record(RecordKind kind, TaskSequence sequence, std::span<const std::uint8_t> body);
bool is_intact(const LogRecord& record);

inline constexpr std::size_t kEntryHeaderBytes = 24;
inline constexpr std::size_t kDirectoryBytes = 16;  // a record's place in the directory

// Collects records until an entry is full. One thread.
class LogEntryBuilder {
 public:
  // `bytes_max`: of a whole entry. Requires room for a task record, at most 65,535.
  explicit LogEntryBuilder(std::size_t bytes_max);

  // False: the record does not fit behind what is there; nothing was changed. The checksum is taken
  // as it is: the damage of a record that is carried here stays visible.
  bool add(const LogRecord& record);

  bool empty() const { return records_ == 0; }
  std::uint16_t records() const { return records_; }
  std::size_t size() const { return kEntryHeaderBytes + records_ * kDirectoryBytes + body_bytes_; }
  // Fills `entry`, of size() bytes, and begins the next one.
  void finish(EntryNumber number, Epoch epoch, BatchNumber batch, std::span<std::uint8_t> entry);

 private:
  std::size_t bytes_max_;
  std::uint16_t records_ = 0;
  std::size_t body_bytes_ = 0;
  std::vector<std::uint8_t> directory_;
  std::vector<std::uint8_t> bodies_;
};

// A stored entry, whose bytes must outlive it.
class LogEntryView {
 public:
  // Checks header and directory, but not the bodies. Errors: corrupt, naming the entry.
  static Result<LogEntryView> open(EntryNumber number, std::span<const std::uint8_t> bytes);

  std::uint16_t records() const { return records_; }
  Epoch epoch() const;
  BatchNumber batch() const;

  // Calls `visit(const LogRecord&)` for every record in order.
  template <class Visit>
  void for_each(Visit visit) const {
    std::size_t body = body_offset();
    for (std::size_t place = 0; place < records_; ++place) {
      const LogRecord record = record_at(place, body);
      body += record.body.size();
      visit(record);
    }
  }
  // The newest record here of this part of this task; nullopt: there is none.
  std::optional<LogRecord> find(LogPart part, TaskSequence sequence) const;

 private:
  LogEntryView(std::span<const std::uint8_t> bytes, std::uint16_t records)
      : bytes_(bytes), records_(records) {}
  std::size_t body_offset() const { return kEntryHeaderBytes + records_ * kDirectoryBytes; }
  LogRecord record_at(std::size_t place, std::size_t body) const;

  std::span<const std::uint8_t> bytes_;
  std::uint16_t records_;
};

}  // namespace millrace::broker
