// Task sequence → where something of that task lies. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "common/base/ids.h"

namespace millrace::broker {

// About 5 bytes a task where sequences are dense, 300 for one alone. Not thread-safe, but get() may
// run beside get().
class PositionTable {
 public:
  // 0: nothing is there.
  std::uint32_t get(TaskSequence sequence) const {
    const auto chunk = chunks_.find(sequence.value / kChunkSize);
    return chunk == chunks_.end() ? 0 : chunk->second.values[sequence.value % kChunkSize];
  }
  // Replaces what is there, and returns it; 0 takes it away.
  std::uint32_t set(TaskSequence sequence, std::uint32_t value);

  std::size_t size() const { return size_; }
  // Calls `visit(TaskSequence, std::uint32_t)` for all that is there, by rising sequence, as long
  // as it returns true.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const std::uint64_t number : chunk_numbers()) {
      const Chunk& chunk = chunks_.at(number);
      for (std::uint64_t slot = 0; slot < kChunkSize; ++slot) {
        const std::uint32_t value = chunk.values[slot];
        if (value != 0 && !visit(TaskSequence(number * kChunkSize + slot), value)) return;
      }
    }
  }

 private:
  static constexpr std::uint64_t kChunkSize = 64;
  struct Chunk {
    std::array<std::uint32_t, kChunkSize> values{};
    std::uint32_t used = 0;
  };
  std::vector<std::uint64_t> chunk_numbers() const;  // rising

  std::unordered_map<std::uint64_t, Chunk> chunks_;
  Chunk* last_ = nullptr;  // the chunk that set() used last: sequences come in runs
  std::uint64_t last_number_ = 0;
  std::size_t size_ = 0;
};

}  // namespace millrace::broker
