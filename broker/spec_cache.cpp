#include "broker/spec_cache.h"

#include <algorithm>
#include <utility>

namespace millrace::broker {

void SpecCache::keep(TaskSequence sequence, const SharedBytes& spec) {
  if (entries_.empty()) first_ = sequence.value;
  MILLRACE_CHECK(sequence.value >= first_ + entries_.size(), "sequences come in order");
  entries_.resize(sequence.value - first_);
  Entry& entry = entries_.emplace_back();
  if (spec.size() <= kSpecBytesMost) {
    entry.spec = copy(spec);
    entry.bytes = static_cast<std::uint32_t>(spec.size());
    bytes_ = bytes_ + ByteCount(entry.bytes);
  }
  while (!entries_.empty() && (bytes_ > bytes_max_ || entries_.front().spec.empty())) {
    forget_first();
  }
}

SharedBytes SpecCache::take(TaskSequence sequence) {
  if (sequence.value < first_ || sequence.value - first_ >= entries_.size()) return {};
  SharedBytes spec = std::exchange(entries_[sequence.value - first_].spec, SharedBytes());
  while (!entries_.empty() && entries_.front().spec.empty()) forget_first();
  return spec;
}

// Copies share a chunk: one allocation for hundreds of small specs.
SharedBytes SpecCache::copy(const SharedBytes& spec) {
  if (kChunkBytes - chunk_used_ < spec.size()) {
    chunk_ = std::make_shared_for_overwrite<std::uint8_t[]>(kChunkBytes);
    chunk_used_ = 0;
  }
  std::uint8_t* const place = chunk_.get() + chunk_used_;
  std::memcpy(place, spec.data(), spec.size());
  // Every spec begins at a multiple of eight, as FlatBuffers wants it.
  chunk_used_ = std::min(kChunkBytes, (chunk_used_ + spec.size() + 7) & ~std::size_t{7});
  return SharedBytes(chunk_, std::span<const std::uint8_t>(place, spec.size()));
}

void SpecCache::forget_first() {
  bytes_ = bytes_ - ByteCount(entries_.front().bytes);
  entries_.pop_front();
  ++first_;
}

}  // namespace millrace::broker
