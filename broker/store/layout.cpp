#include "broker/store/layout.h"

#include <algorithm>

#include "common/base/check.h"
#include "common/base/crc32c.h"
#include "common/base/shown_text.h"

namespace millrace::broker {
namespace {

constexpr std::size_t kChecksumBytes = 4;

std::uint64_t big_endian(std::span<const std::uint8_t> bytes) {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes) number = (number << 8) | byte;
  return number;
}
std::uint32_t little_endian(std::span<const std::uint8_t> bytes) {
  std::uint32_t number = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) number = (number << 8) | bytes[i - 1];
  return number;
}
void put_little_endian(std::uint32_t number, std::span<std::uint8_t> bytes) {
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(number);
    number >>= 8;
  }
}

std::uint32_t checksum(std::span<const std::uint8_t> key, std::span<const std::uint8_t> value) {
  return crc32c(value.subspan(kChecksumBytes), crc32c(key));
}

}  // namespace

const char* name_of(TableId table) {
  switch (table) {
    case TableId::meta:
      return "meta";
    case TableId::queues:
      return "queues";
    case TableId::log:
      return "log";
    case TableId::specs:
      return "specs";
    case TableId::results:
      return "results";
    case TableId::attempts:
      return "attempts";
  }
  return "unknown";
}

void Key::append(std::uint64_t number, std::size_t bytes) {
  for (std::size_t i = bytes; i > 0; --i) {
    bytes_[size_++] = static_cast<std::uint8_t>(number >> (8 * (i - 1)));
  }
}

Key Key::of_meta(std::string_view name) {
  Key key;
  MILLRACE_CHECK(name.size() <= key.bytes_.size(), "names in meta are short");
  std::copy(name.begin(), name.end(), key.bytes_.begin());
  key.size_ = name.size();
  return key;
}
Key Key::of_queue(QueueNumber queue) {
  Key key;
  key.append(queue.value, 4);
  return key;
}
Key Key::of_task(TaskSequence sequence) {
  Key key;
  key.append(sequence.value, 8);
  return key;
}
Key Key::of_attempt(TaskSequence sequence, std::uint16_t number) {
  Key key = of_task(sequence);
  key.append(number, 2);
  return key;
}
Key Key::of_entry(EntryNumber entry) {
  Key key;
  key.append(entry.value, 8);
  return key;
}
Key Key::at_chunk(std::uint16_t chunk) const {
  Key key = *this;
  if (chunk > 0) key.append(chunk, 2);
  return key;
}

TaskSequence sequence_of_key(std::span<const std::uint8_t> key) {
  return TaskSequence(key.size() >= 8 ? big_endian(key.first(8)) : 0);
}
QueueNumber queue_of_key(std::span<const std::uint8_t> key) {
  return QueueNumber(key.size() == 4 ? static_cast<std::uint32_t>(big_endian(key)) : 0);
}

EntryNumber entry_of_key(std::span<const std::uint8_t> key) {
  return EntryNumber(key.size() == 8 ? big_endian(key) : 0);
}

std::string text_of(TableId table, std::span<const std::uint8_t> key) {
  std::string text = std::string(name_of(table)) + "/";
  if (table == TableId::meta) {
    return text + shown_text({reinterpret_cast<const char*>(key.data()), key.size()});
  }
  const std::size_t number_bytes =
      std::min<std::size_t>(table == TableId::queues ? 4 : 8, key.size());
  text += std::to_string(big_endian(key.first(number_bytes)));
  for (std::size_t at = number_bytes; at + 2 <= key.size(); at += 2) {
    text += "/" + std::to_string(big_endian(key.subspan(at, 2)));
  }
  return text;
}

std::uint16_t chunks_for(std::size_t body_bytes) {
  const std::size_t chunks =
      std::max<std::size_t>(1, (body_bytes + kChunkBodyBytes - 1) / kChunkBodyBytes);
  MILLRACE_CHECK(chunks <= kChunksMost, "a value fits its chunks: frames are limited to less");
  return static_cast<std::uint16_t>(chunks);
}

void seal_value(TableId table, const Key& key, std::uint16_t chunks,
                std::span<std::uint8_t> value) {
  value[4] = kRecordVersion;
  value[5] = static_cast<std::uint8_t>(table);
  put_little_endian(chunks, value.subspan(6, 2));
  put_little_endian(checksum(key.view(), value), value.first(kChecksumBytes));
}

Error corrupt_value(TableId table, std::span<const std::uint8_t> key, std::string_view problem) {
  return Error{ErrorCode::corrupt,
               "stored value " + text_of(table, key) + " " + std::string(problem) +
                   "; restore the data directory from a backup, and check the disk"};
}

Result<OpenedValue> open_value(TableId table, std::span<const std::uint8_t> key,
                               std::span<const std::uint8_t> value) {
  if (value.size() < kValueHeaderBytes) return corrupt_value(table, key, "is cut short");
  if (little_endian(value.first(kChecksumBytes)) != checksum(key, value)) {
    return corrupt_value(table, key, "does not match its checksum");
  }
  if (value[5] != static_cast<std::uint8_t>(table)) {
    return corrupt_value(table, key, "belongs to another table");
  }
  if (value[4] != kRecordVersion) {
    return corrupt_value(table, key, "has an unknown record version " + std::to_string(value[4]));
  }
  const auto chunks = static_cast<std::uint16_t>(little_endian(value.subspan(6, 2)));
  if (chunks == 0) return corrupt_value(table, key, "has no chunks");
  return OpenedValue{value.subspan(kValueHeaderBytes), chunks};
}

}  // namespace millrace::broker
