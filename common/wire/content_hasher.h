// A hash over fields and bytes in a fixed order, the same on every machine. One use per object.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace millrace::wire {

// XXH3 (64 bits, seeded) over 512-byte blocks, each seeded with the hash of those before. Numbers
// enter as 8 little-endian bytes, texts after their length, so that no two sequences of fields
// enter alike. The value is kept on disk: the algorithm must not change.
class ContentHasher {
 public:
  void add(std::uint64_t number);
  void add(std::int64_t number) { add(static_cast<std::uint64_t>(number)); }
  void add(std::string_view text);

  // The hash of all that was added, and then of `payload`.
  std::uint64_t finish(std::span<const std::uint8_t> payload);

 private:
  void append(const void* bytes, std::size_t count);
  void fold();

  std::array<std::uint8_t, 512> block_{};
  std::size_t used_ = 0;
  std::uint64_t hash_ = 0;
};

}  // namespace millrace::wire
