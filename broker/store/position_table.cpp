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
  last_->used = last_->used + (value != 0 ? 1U : 0U) - (old != 0 ? 1U : 0U);
  size_ = size_ + (value != 0 ? 1U : 0U) - (old != 0 ? 1U : 0U);
  if (last_->used == 0) {
    chunks_.erase(number);
    last_ = nullptr;
  }
  return old;
}

std::vector<std::uint64_t> PositionTable::chunk_numbers() const {
  std::vector<std::uint64_t> numbers;
  numbers.reserve(chunks_.size());
  for (const auto& [number, chunk] : chunks_) numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace millrace::broker
