// Durations counted in power-of-two buckets: small, mergeable, good to a factor of two.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "common/base/time.h"

namespace millrace {

struct LatencySummary {
  // buckets[i] counts durations up to 2^i microseconds and above 2^(i-1); the last takes the rest.
  static constexpr std::size_t kBuckets = 32;
  std::array<std::uint64_t, kBuckets> buckets{};
  std::uint64_t count = 0;
  Duration total;

  // Negative durations count as zero.
  void record(Duration duration) {
    const std::int64_t microseconds = (duration.in_nanoseconds() + 999) / 1'000;
    const auto value = static_cast<std::uint64_t>(microseconds > 1 ? microseconds - 1 : 0);
    const auto bucket = static_cast<std::size_t>(std::bit_width(value));
    ++buckets[bucket < kBuckets ? bucket : kBuckets - 1];
    ++count;
    if (duration > Duration()) total += duration;
  }
};

}  // namespace millrace
