// Specs on their way from acceptance to dispatch, in bounded memory: the common case needs no read
// of the store. One thread.
#pragma once

#include <deque>
#include <unordered_map>

#include "common/base/bytes.h"
#include "common/base/ids.h"

namespace millrace::broker {

class SpecCache {
 public:
  explicit SpecCache(ByteCount bytes_max) : bytes_max_(bytes_max) {}

  // Keeps a copy, so that a small spec does not pin the large frame it came in. Specs over
  // kSpecBytesMost are not kept. When full, the earliest kept goes.
  void keep(TaskSequence sequence, const SharedBytes& spec);
  // The spec if it is here, and forgets it; else empty.
  SharedBytes take(TaskSequence sequence);
  ByteCount bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kSpecBytesMost = 64 * 1024;

  ByteCount bytes_max_;
  ByteCount bytes_;
  std::unordered_map<TaskSequence, SharedBytes> specs_;
  std::deque<TaskSequence> order_;  // may name some that were taken
};

}  // namespace millrace::broker
