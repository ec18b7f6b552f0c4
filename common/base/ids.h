// Identities and counters as types of their own, so that a fence is never taken for a sequence.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/random.h"
#include "common/base/time.h"

namespace millrace {

// 128 bits, compared as big-endian text would be. `Tag` keeps the kinds apart.
template <class Tag>
struct Id128 {
  std::array<std::uint8_t, 16> bytes{};

  bool is_nil() const { return (word(0) | word(8)) == 0; }
  friend auto operator<=>(const Id128&, const Id128&) = default;
  // Two words instead of sixteen bytes: ids are compared with every look-up.
  friend bool operator==(const Id128& a, const Id128& b) {
    return a.word(0) == b.word(0) && a.word(8) == b.word(8);
  }

  // Eight of the bytes as a number of this machine's order.
  std::uint64_t word(std::size_t from) const {
    std::uint64_t value = 0;
    std::memcpy(&value, &bytes[from], 8);
    return value;
  }
};

// A task, chosen by the client: it is the idempotency key. Written as a UUID.
using TaskId = Id128<struct TaskTag>;
// One worker process: 128 random bits drawn at its start. The name people give it is another thing.
using WorkerId = Id128<struct WorkerTag>;
// One client session: 128 random bits.
using ClientId = Id128<struct ClientTag>;

// A counter or handle of its own kind.
template <class Tag, class Value = std::uint64_t>
struct Number {
  Value value = 0;

  constexpr Number() = default;
  explicit constexpr Number(Value number) : value(number) {}
  constexpr bool is_none() const { return value == 0; }
  constexpr Number next() const { return Number(static_cast<Value>(value + 1)); }
  friend constexpr auto operator<=>(const Number&, const Number&) = default;
};

// The order of acceptance in the broker, from 1, never reused; also the task's key in the store.
using TaskSequence = Number<struct TaskSequenceTag>;
// Grows with every lease granted for a task, over broker restarts too; from 1. A completion under
// another fence than the newest changes nothing.
using Fence = Number<struct FenceTag>;
// Grows with every start of the broker on a data directory; from 1.
using Epoch = Number<struct EpochTag>;
// A write batch of the store; from 1, consecutive over restarts.
using BatchNumber = Number<struct BatchTag>;
// A connection as the shell knows it (a ROUTER routing id); never reused within a process.
using PeerId = Number<struct PeerTag>;
// Correlates an answer with its request; chosen by the asker, echoed.
using RequestId = Number<struct RequestTag>;
// Random bits that a worker gets in its Welcome and puts in its beats.
using SessionNonce = Number<struct SessionTag>;

// "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f" (RFC 9562, lower case).
template <class Tag>
std::string to_text(const Id128<Tag>& id) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    text.push_back(kDigits[id.bytes[i] >> 4]);
    text.push_back(kDigits[id.bytes[i] & 15]);
  }
  return text;
}

// Reads the 36-character form, either case. Nothing for any other text and for the nil UUID.
template <class IdType>
std::optional<IdType> parse_id(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  IdType id;
  std::size_t at = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    if ((i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-') return std::nullopt;
    const int high = digit(text[at]);
    const int low = digit(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    at += 2;
  }
  if (id.is_nil()) return std::nullopt;
  return id;
}

// A fresh UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, then random bits, so that ids
// made later sort later.
inline TaskId make_task_id(Time now, Random& random) {
  TaskId id;
  const auto milliseconds = static_cast<std::uint64_t>(now.since_epoch().in_milliseconds());
  for (std::size_t i = 0; i < 6; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(milliseconds >> (8 * (5 - i)));
  }
  const std::uint64_t first = random.next();
  const std::uint64_t second = random.next();
  for (std::size_t i = 6; i < 8; ++i) id.bytes[i] = static_cast<std::uint8_t>(first >> (8 * i));
  std::memcpy(&id.bytes[8], &second, 8);
  id.bytes[6] = static_cast<std::uint8_t>(0x70 | (id.bytes[6] & 0x0f));
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3f));
  return id;
}

// 128 random bits; never nil.
template <class IdType>
IdType make_random_id(Random& random) {
  IdType id;
  const std::uint64_t first = random.next();
  const std::uint64_t second = random.next() | 1;
  std::memcpy(&id.bytes[0], &first, 8);
  std::memcpy(&id.bytes[8], &second, 8);
  return id;
}

}  // namespace millrace

template <class Tag>
struct std::hash<millrace::Id128<Tag>> {
  std::size_t operator()(const millrace::Id128<Tag>& id) const noexcept {
    std::uint64_t mixed = id.word(0) ^ (id.word(8) * 0x9e3779b97f4a7c15U);
    mixed ^= mixed >> 32;
    return static_cast<std::size_t>(mixed * 0xd6e8feb86659fd93U);
  }
};

template <class Tag, class Value>
struct std::hash<millrace::Number<Tag, Value>> {
  std::size_t operator()(const millrace::Number<Tag, Value>& number) const noexcept {
    return static_cast<std::size_t>(number.value * 0x9e3779b97f4a7c15U);
  }
};
