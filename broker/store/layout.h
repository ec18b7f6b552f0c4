// How the data file is laid out: tables, keys and the header that guards every value.
//
//   table     key                              value
//   meta      a name                           format, epoch, batch, store id, totals
//   queues    queue number, 4 bytes            paused, name
//   tasks     sequence, 8 bytes                record.fbs TaskV1
//   specs     sequence                         TaskSpec, the client's bytes
//   results   sequence                         result bytes
//   attempts  sequence, number, 8 + 2 bytes    record.fbs Attempt
//
// Numbers in keys are big-endian, so that keys sort by number on every machine. A value longer than
// one chunk continues under the same key followed by the chunk's number, 2 bytes from 1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "broker/core/effect.h"
#include "common/base/result.h"

namespace millrace::broker {

// Raised by a change that an older broker must not read. A newer one is refused.
inline constexpr std::uint32_t kFormatVersion = 1;

// The numbers are part of every checksum: append only, never reuse.
enum class TableId : std::uint8_t {
  meta = 1,
  queues = 2,
  tasks = 3,
  specs = 4,
  results = 5,
  attempts = 6,
};
inline constexpr std::array<TableId, 6> kAllTables = {TableId::meta,    TableId::queues,
                                                      TableId::tasks,   TableId::specs,
                                                      TableId::results, TableId::attempts};
const char* name_of(TableId table);

inline constexpr std::string_view kMetaFormat = "format";
inline constexpr std::string_view kMetaStoreId = "store id";
inline constexpr std::string_view kMetaEpoch = "epoch";
inline constexpr std::string_view kMetaBatch = "batch";
inline constexpr std::string_view kMetaTotals = "totals";

// The key of one value, or of one chunk of it.
class Key {
 public:
  static Key of_meta(std::string_view name);
  static Key of_queue(QueueNumber queue);
  static Key of_task(TaskSequence sequence);
  static Key of_attempt(TaskSequence sequence, std::uint16_t number);
  // The key of a further chunk; `chunk` 0 is the value's own key.
  Key at_chunk(std::uint16_t chunk) const;

  std::span<const std::uint8_t> view() const { return std::span(bytes_).first(size_); }

 private:
  void append(std::uint64_t number, std::size_t bytes);

  std::array<std::uint8_t, 16> bytes_{};
  std::size_t size_ = 0;
};

// The task's sequence a key begins with, and the queue a key names; none for a key of another form.
TaskSequence sequence_of_key(std::span<const std::uint8_t> key);
QueueNumber queue_of_key(std::span<const std::uint8_t> key);

// "tasks/17", "attempts/17/2", "meta/epoch": the name people know a value by.
std::string text_of(TableId table, std::span<const std::uint8_t> key);

// ---- values -------------------------------------------------------------------------------------

// Every chunk: CRC32C (4 bytes, little-endian) over the key, the rest of this header and the body;
// record version (1); table (1); chunks of the whole value (2, little-endian); then the body. The
// key and the table are covered so that a sound value in the wrong place is noticed too.
inline constexpr std::size_t kValueHeaderBytes = 8;
inline constexpr std::uint8_t kRecordVersion = 1;

// LMDB keeps a value over half a page in a run of pages of its own, and a fragmented file may have
// plenty of free pages but no such run. Chunks fit two to a page, so every free page is of use and
// "how full is it" has an exact answer.
inline constexpr std::size_t kChunkBodyBytes = 2'000;
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

// "tasks/17: <problem>; restore the data directory from a backup …"
Error corrupt_value(TableId table, std::span<const std::uint8_t> key, std::string_view problem);

}  // namespace millrace::broker
