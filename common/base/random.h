// The only randomness that pure code may use: small, seeded, the same on every machine.
#pragma once

#include <cstdint>

namespace millrace {

// SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators").
// Not for secrets. Not thread-safe; give each owner its own.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  // 64 uniform bits.
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }

  // Uniform in [0, bound); 0 when bound is 0. The bias is below 2^-32 for bounds below 2^32.
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }

  // Uniform in [low, high], both included. Requires low <= high.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }

  // True with probability numerator/denominator.
  bool chance(std::uint64_t numerator, std::uint64_t denominator) {
    return below(denominator) < numerator;
  }

 private:
  std::uint64_t state_;
};

}  // namespace millrace
