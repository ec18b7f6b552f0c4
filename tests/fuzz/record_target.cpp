// What a data file may hold: a record that decodes comes back the same when it is stored again, a
// sealed value opens where it was put and nowhere else, and no short damage to it goes unnoticed.
#include <algorithm>

#include "broker/store/layout.h"
#include "broker/store/little_endian.h"
#include "broker/store/log_entry.h"
#include "broker/store/record_codec.h"
#include "common/base/crc32c.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/property.h"

namespace millrace::fuzz {
namespace {

using broker::Key;
using broker::QueueNumber;
using broker::TableId;
using Bytes = std::span<const std::uint8_t>;

// FlatBuffers want their bytes on a multiple of 8, as a store reads them.
std::vector<std::uint8_t> aligned_copy(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

void run_task(Bytes body) {
  const auto task = broker::decode_task(TaskSequence(7), body);
  if (!task) return;
  const auto again = broker::decode_task(TaskSequence(7), broker::TaskBody(*task).view());
  require(again == task, "a task record is stored as it is");
}

void run_attempt(Bytes body) {
  const auto attempt = broker::decode_attempt(aligned_copy(body));
  if (!attempt) return;
  const auto again = broker::decode_attempt(broker::encode_attempt(*attempt));
  require(again == attempt, "an attempt record is stored as it is");
}

void run_totals(Bytes body) {
  const auto totals = broker::decode_totals(body);
  if (!totals) return;
  require(broker::decode_totals(broker::encode_totals(*totals)) == totals,
          "the totals are stored as they are");
}

void run_queue(Bytes body) {
  const auto queue = broker::decode_queue(QueueNumber(3), body);
  if (!queue) return;
  const auto again = broker::encode_queue({queue->queue, queue->name, queue->paused});
  require(std::equal(again.begin(), again.end(), body.begin(), body.end()),
          "a queue is stored as it is");
}

// Bytes as a damaged page may show them.
void run_opening(Input& input) {
  const auto table = static_cast<TableId>(input.below(8));
  const std::vector<std::uint8_t> key = aligned_copy(input.take(input.below(20)));
  const auto opened = broker::open_value(table, key, input.rest());
  if (!opened.ok()) {
    require(opened.error().code == ErrorCode::corrupt, "what cannot be opened is corrupt");
    require_readable(opened.error().message);
  }
  broker::sequence_of_key(key);
  broker::queue_of_key(key);
  broker::entry_of_key(key);
  require(!broker::text_of(table, key).empty(), "every value has a name");
}

// A burst of up to 32 bits is what a CRC-32 finds for certain.
void run_damage(Input& input) {
  const TaskSequence sequence(input.number());
  const std::size_t place = input.byte();
  std::array<std::uint8_t, 4> burst{};
  for (std::uint8_t& byte : burst) byte = input.byte();
  std::vector<std::uint8_t> value(broker::kValueHeaderBytes);
  value.insert(value.end(), input.rest().begin(), input.rest().end());
  const Key key = Key::of_task(sequence);
  broker::seal_value(TableId::specs, key, 1, value);
  const auto opened = broker::open_value(TableId::specs, key.view(), value);
  require(opened.ok() && std::equal(opened->body.begin(), opened->body.end(), input.rest().begin(),
                                    input.rest().end()),
          "a sealed value opens");
  const Key other = Key::of_task(sequence.next());
  require(!broker::open_value(TableId::specs, other.view(), value).ok(), "but under its own key");
  require(!broker::open_value(TableId::results, key.view(), value).ok(), "and in its own table");
  bool damaged = false;
  for (std::size_t i = 0; i < burst.size() && place % value.size() + i < value.size(); ++i) {
    value[place % value.size() + i] ^= burst[i];
    damaged = damaged || burst[i] != 0;
  }
  require(broker::open_value(TableId::specs, key.view(), value).ok() == !damaged,
          "damage is noticed");
}

// The checksum of an entry's head, as log_entry.h describes it; nothing when the head is cut short.
void seal_entry(broker::EntryNumber number, std::vector<std::uint8_t>& entry) {
  if (entry.size() < broker::kEntryHeaderBytes) return;
  const std::size_t records = entry[6] + entry[7] * 256U;
  const std::size_t head = broker::kEntryHeaderBytes + records * broker::kDirectoryBytes;
  if (entry.size() < head) return;
  entry[5] = 0;
  std::array<std::uint8_t, 8> key{};
  broker::store_little_endian(number.value, key.data());
  const std::uint32_t sum = crc32c(std::span(entry).first(head).subspan(4), crc32c(key));
  broker::store_little_endian(sum, entry.data());
}

// With the right checksum the fuzzer gets behind it.
void run_entry(Input& input) {
  const broker::EntryNumber number(input.number());
  const bool sealed = input.truth();
  std::vector<std::uint8_t> bytes = aligned_copy(input.rest());
  if (sealed) seal_entry(number, bytes);
  const auto entry = broker::LogEntryView::open(number, bytes);
  if (!entry.ok()) {
    require(entry.error().code == ErrorCode::corrupt, "what cannot be opened is corrupt");
    return require_readable(entry.error().message);
  }
  broker::LogEntryBuilder builder(65'535);
  entry->for_each([&](const broker::LogRecord& record) {
    require(builder.add(record), "an entry fits an entry");
    for (const auto part :
         {broker::LogPart::task, broker::LogPart::spec, broker::LogPart::result}) {
      const auto found = entry->find(part, record.sequence);
      require(!found || found->sequence == record.sequence, "what is found is what was asked for");
    }
  });
  std::vector<std::uint8_t> again(builder.size());
  builder.finish(number, entry->epoch(), entry->batch(), again);
  require(again == bytes, "an entry is stored as it is");
}

void run(Input& input) {
  const std::size_t kind = input.below(8);
  const std::vector<std::uint8_t> body = aligned_copy(input.rest());
  switch (kind) {
    case 0:
      return run_task(body);
    case 1:
    case 2:
      return run_attempt(body);
    case 3:
      return run_totals(body);
    case 4:
      return run_queue(body);
    case 5:
      return run_opening(input);
    case 6:
      return run_entry(input);
    default:
      return run_damage(input);
  }
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  millrace::fuzz::Input input({data, size});
  millrace::fuzz::run(input);
  return 0;
}
