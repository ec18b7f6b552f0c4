// A fuzzer's bytes as choices. Every sequence of bytes means something, and when they run out every
// choice is the first one, so that a shorter input is a simpler case.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/base/time.h"

namespace millrace::fuzz {

class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  std::span<const std::uint8_t> rest() const { return rest_; }

  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t first = rest_.front();
    rest_ = rest_.subspan(1);
    return first;
  }
  bool truth() { return byte() % 2 != 0; }
  // In [0, bound). Requires 1 <= bound <= 256.
  std::size_t below(std::size_t bound) { return byte() % bound; }
  // The next `count` bytes, or what is left of them.
  std::span<const std::uint8_t> take(std::size_t count) {
    const auto taken = rest_.first(count < rest_.size() ? count : rest_.size());
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  // Up to 31 bytes of any kind.
  std::string text() {
    const auto taken = take(below(32));
    return std::string(taken.begin(), taken.end());
  }

  // Mostly small, often at an edge, sometimes any 64 bits.
  std::uint64_t number() {
    const std::uint8_t choice = byte();
    const std::uint8_t detail = choice / 8;
    switch (choice % 8) {
      case 5:
        return ~std::uint64_t{0} - detail;
      case 6:
        return (std::uint64_t{1} << (2 * detail)) - detail % 2;
      case 7: {
        std::uint64_t any = 0;
        for (const std::uint8_t part : take(8)) any = any << 8 | part;
        return any;
      }
      default:
        return detail;
    }
  }
  template <class Small>
  Small small() {
    return static_cast<Small>(number());
  }

  // From none to ten years, the round ones that rules speak of, and any other.
  Duration duration() {
    static constexpr std::array<Duration, 14> kRound = {Duration(),
                                                        Duration::nanoseconds(1),
                                                        Duration::milliseconds(1),
                                                        Duration::milliseconds(100),
                                                        Duration::milliseconds(250),
                                                        Duration::seconds(1),
                                                        Duration::milliseconds(3'100),
                                                        Duration::minutes(1),
                                                        Duration::minutes(6),
                                                        Duration::hours(1),
                                                        Duration::days(1),
                                                        Duration::days(3'650),
                                                        Duration::nanoseconds(-1),
                                                        Duration::days(365)};
    const std::size_t choice = below(kRound.size() + 2);
    return choice < kRound.size() ? kRound[choice] : Duration::nanoseconds(small<std::int64_t>());
  }

 private:
  std::span<const std::uint8_t> rest_;
};

}  // namespace millrace::fuzz
