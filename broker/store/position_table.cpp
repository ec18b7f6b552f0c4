#include "broker/store/position_table.h"

#include <algorithm>

namespace millrace::broker {

std::uint32_t PositionTable::set(TaskSequence sequence, std::uint32_t value) {
  const std::uint64_t number = sequence.value / kChunkSize;
  if (last_ == nullptr || last_number_ != number) {
    if (value == 0) {
      const auto found = chunks_.find(number);
      if (found == chunks_.end()) return 0;
      last_ = &found->second;
    } else {
      last_ = &chunks_[number];
    }
    last_number_ = number;
  }
  std::uint32_t& place = last_->values[sequence.value % kChunkSize];
  const std::uint32_t old = place;
  place = value;
  const std::uint32_t more = (value != 0 ? 1U : 0U) - (old != 0 ? 1U : 0U);  // may wrap to -1
  last_->used += more;
  size_ = size_ + (value != 0 ? 1U : 0U) - (old != 0 ? 1U : 0U);
  if (last_->used == 0) {
    chunks_.erase(number);
    last_ = nullptr;
  }
  return old;
}

std::vector<TaskSequence> PositionTable::sequences() const {
  std::vector<std::uint64_t> numbers;
  numbers.reserve(chunks_.size());
  for (const auto& [number, chunk] : chunks_) numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end());
  std::vector<TaskSequence> sequences;
  sequences.reserve(size_);
  for (const std::uint64_t number : numbers) {
    const Chunk& chunk = chunks_.at(number);
    for (std::uint64_t slot = 0; slot < kChunkSize; ++slot) {
      if (chunk.values[slot] != 0) sequences.emplace_back(number * kChunkSize + slot);
    }
  }
  return sequences;
}

}  // namespace millrace::broker
