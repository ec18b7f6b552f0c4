// Specs on their way from acceptance to dispatch, in bounded memory: the common case needs no read
// of the store. One thread.
#pragma once

#include <deque>
#include <memory>

#include "common/base/bytes.h"
#include "common/base/ids.h"

namespace millrace::broker {

class SpecCache {
 public:
  explicit SpecCache(ByteCount bytes_max) : bytes_max_(bytes_max) {}

  // Keeps a copy, so that a small spec does not pin the large frame it came in. Specs over
  // kSpecBytesMost are not kept. When full, the earliest kept goes. Sequences come in order, each
  // once.
  void keep(TaskSequence sequence, const SharedBytes& spec);
  // The spec if it is here, and forgets it; else empty.
  SharedBytes take(TaskSequence sequence);
  // What is held, and what was taken since the earliest that is held.
  ByteCount bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kSpecBytesMost = 64 * 1024;
  static constexpr std::size_t kChunkBytes = 64 * 1024;
  struct Entry {
    SharedBytes spec;  // empty: not kept, or taken
    std::uint32_t bytes = 0;
  };

  SharedBytes copy(const SharedBytes& spec);
  void forget_first();

  ByteCount bytes_max_;
  ByteCount bytes_;
  std::uint64_t first_ = 0;                // sequence of entries_.front()
  std::deque<Entry> entries_;              // by sequence, without gaps
  std::shared_ptr<std::uint8_t[]> chunk_;  // where copies go, one after the other
  std::size_t chunk_used_ = kChunkBytes;
};

}  // namespace millrace::broker
