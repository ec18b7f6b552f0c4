#include "common/wire/content_hasher.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

namespace millrace::wire {

void ContentHasher::add(std::uint64_t number) {
  std::array<std::uint8_t, 8> bytes{};
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  append(bytes.data(), bytes.size());
}

void ContentHasher::add(std::string_view text) {
  add(std::uint64_t{text.size()});
  append(text.data(), text.size());
}

std::uint64_t ContentHasher::finish(std::span<const std::uint8_t> payload) {
  fold();
  return XXH3_64bits_withSeed(payload.data(), payload.size(), hash_);
}

void ContentHasher::append(const void* bytes, std::size_t count) {
  const auto* from = static_cast<const std::uint8_t*>(bytes);
  while (count > 0) {
    const std::size_t step = std::min(count, block_.size() - used_);
    std::memcpy(block_.data() + used_, from, step);
    used_ += step;
    from += step;
    count -= step;
    if (used_ == block_.size()) fold();
  }
}

void ContentHasher::fold() {
  hash_ = XXH3_64bits_withSeed(block_.data(), used_, hash_);
  used_ = 0;
}

}  // namespace millrace::wire
