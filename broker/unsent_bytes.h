// What a peer was sent and libzmq still holds for it, in bytes. A high-water mark counts messages,
// and messages can be large: only bytes say how much memory a peer that does not read takes.
#pragma once

#include <atomic>
#include <memory>

#include "common/base/bytes.h"

namespace millrace::broker {

// Beyond these a peer counts as one that does not read: it is told nothing more, and nothing is
// done for it, until it has read on.
struct UnsentLimits {
  ByteCount peer_max = ByteCount::mebibytes(64);
  // Over all peers; beyond it the limit of each is peer_least.
  ByteCount total_max = ByteCount::mebibytes(256);
  ByteCount peer_least = ByteCount::mebibytes(1);
};

// A counter that frames on their way hold up. Copies share it. Frames may be released by any
// thread.
class UnsentBytes {
 public:
  UnsentBytes() : count_(std::make_shared<Count>(0)) {}

  ByteCount value() const { return ByteCount(count_->load(std::memory_order_relaxed)); }

  // The same bytes, counted until their last owner lets go of them.
  SharedBytes counted(SharedBytes frame) const;

 private:
  using Count = std::atomic<std::uint64_t>;
  struct Counted;
  std::shared_ptr<Count> count_;
};

}  // namespace millrace::broker
