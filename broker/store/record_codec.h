// Records as plain values ↔ their stored bodies (schemas/record.fbs). Pure; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "broker/core/effect.h"
#include "broker/store/store.h"

namespace millrace::broker {

// A task's body: TaskV1 and behind it the name of the last worker, if there is one to keep.
inline constexpr std::size_t kTaskBodyBytes = 128;
inline constexpr std::size_t kTaskNameBytesMost = 128;
inline constexpr std::size_t kTotalsBodyBytes = 88;

class TaskBody {
 public:
  // The sequence is the key and not part of the body. Requires byte counts below 4 GiB.
  explicit TaskBody(const TaskRecord& record);
  std::span<const std::uint8_t> view() const { return std::span(bytes_).first(size_); }

 private:
  std::array<std::uint8_t, kTaskBodyBytes + kTaskNameBytesMost> bytes_;
  std::size_t size_;
};
// nullopt: not a task record of this version, or a field out of its range.
std::optional<TaskRecord> decode_task(TaskSequence sequence, std::span<const std::uint8_t> body);

std::array<std::uint8_t, kTotalsBodyBytes> encode_totals(const Totals& totals);
std::optional<Totals> decode_totals(std::span<const std::uint8_t> body);

std::vector<std::uint8_t> encode_attempt(const AttemptRecord& record);
std::optional<AttemptRecord> decode_attempt(std::span<const std::uint8_t> body);

std::vector<std::uint8_t> encode_queue(const PutQueue& queue);
std::optional<StoredQueue> decode_queue(QueueNumber queue, std::span<const std::uint8_t> body);

// Numbers in meta: 8 bytes, little-endian.
std::array<std::uint8_t, 8> encode_number(std::uint64_t number);
std::optional<std::uint64_t> decode_number(std::span<const std::uint8_t> body);

}  // namespace millrace::broker
