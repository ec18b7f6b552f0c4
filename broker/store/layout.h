// How the data file is laid out: tables, keys and the header that guards every value.
//
//   table     key                              value
//   log       entry number, 8 bytes            records of tasks, specs, results and totals:
//   log_entry.h specs     sequence, 8 bytes                TaskSpec, the client's bytes, when too
//   large for the log results   sequence                         result bytes, when too large for
//   the log attempts  sequence, number, 8 + 2 bytes    record.fbs Attempt queues    queue number, 4
//   bytes            paused, name meta      a name                           format, epoch, store
//   id
//
// Numbers in keys are big-endian, so that keys sort by number on every machine. Outside of the log,
// which guards itself, a value longer than one chunk continues under the same key followed by the
// chunk's number, 2 bytes from 1, and every chunk begins with the header below.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "broker/core/effect.h"
#include "broker/store/log_entry.h"
#include "common/base/result.h"

namespace millrace::broker {

// Raised by a change that an older broker must not read. A newer one is refused. Format 1 was never
// released; 2 had no worker's name behind a task (record_codec.h), and becomes 3 when it is opened
// for writing.
inline constexpr std::uint32_t kFormatVersion = 3;
inline constexpr std::uint32_t kOldestFormatVersion = 2;

// The numbers are part of checksums: append only, never reuse.
enum class TableId : std::uint8_t {
  meta = 1,
  queues = 2,
  log = 3,
  specs = 4,
  results = 5,
  attempts = 6,
};
inline constexpr std::array<TableId, 6> kAllTables = {TableId::meta,    TableId::queues,
                                                      TableId::log,     TableId::specs,
                                                      TableId::results, TableId::attempts};
const char* name_of(TableId table);

inline constexpr std::string_view kMetaFormat = "format";
inline constexpr std::string_view kMetaStoreId = "store id";
inline constexpr std::string_view kMetaEpoch = "epoch";

// The key of one value, or of one chunk of it.
class Key {
 public:
  static Key of_meta(std::string_view name);
  static Key of_queue(QueueNumber queue);
  static Key of_task(TaskSequence sequence);
  static Key of_attempt(TaskSequence sequence, std::uint16_t number);
  static Key of_entry(EntryNumber entry);
  // The key of a further chunk; `chunk` 0 is the value's own key.
  Key at_chunk(std::uint16_t chunk) const;

  std::span<const std::uint8_t> view() const { return std::span(bytes_).first(size_); }

 private:
  void append(std::uint64_t number, std::size_t bytes);

  std::array<std::uint8_t, 16> bytes_{};
  std::size_t size_ = 0;
};

// The number a key begins with; none for a key of another form.
TaskSequence sequence_of_key(std::span<const std::uint8_t> key);
QueueNumber queue_of_key(std::span<const std::uint8_t> key);
EntryNumber entry_of_key(std::span<const std::uint8_t> key);

// "specs/17", "attempts/17/2", "meta/epoch": the name people know a value by.
std::string text_of(TableId table, std::span<const std::uint8_t> key);

// ---- values -------------------------------------------------------------------------------------

// Every chunk: CRC32C (4 bytes, little-endian) over the key, the rest of this header and the body;
// record version (1); table (1); chunks of the whole value (2, little-endian); then the body. The
// key and the table are covered so that a sound value in the wrong place is noticed too.
inline constexpr std::size_t kValueHeaderBytes = 8;
inline constexpr std::uint8_t kRecordVersion = 1;

// LMDB keeps a value over half a page in a run of pages of its own, and a fragmented file may have
// plenty of free pages but no such run. A chunk with its header fills one such page to the last
// byte, so every free page is of use and "how full is it" has an exact answer.
inline constexpr std::size_t kChunkBodyBytes = 4'072;
inline constexpr std::size_t kChunksMost = 65'535;

// Chunks for a body of this size; at least 1. Requires that it is within kChunksMost.
std::uint16_t chunks_for(std::size_t body_bytes);

// Fills the header of `value`, whose body is already in place behind it.
void seal_value(TableId table, const Key& key, std::uint16_t chunks, std::span<std::uint8_t> value);

struct OpenedValue {
  std::span<const std::uint8_t> body;
  std::uint16_t chunks = 1;
};
// Checks the header against where the value was found. Errors: corrupt, naming table and key.
Result<OpenedValue> open_value(TableId table, std::span<const std::uint8_t> key,
                               std::span<const std::uint8_t> value);

// "specs/17: <problem>; restore the data directory from a backup …"
Error corrupt_value(TableId table, std::span<const std::uint8_t> key, std::string_view problem);

}  // namespace millrace::broker
