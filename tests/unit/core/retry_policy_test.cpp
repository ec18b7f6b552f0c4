#include "broker/core/retry_policy.h"

#include <gtest/gtest.h>

#include <limits>

namespace millrace::broker::test {
namespace {

constexpr Duration kLongest = Duration::nanoseconds(std::numeric_limits<std::int64_t>::max());

TEST(RetryPolicy, DoublesUpToTheMaximumAndShortensByAtMostHalf) {
  Random random(1);
  const Backoff backoff{Duration::seconds(1), Duration::seconds(20)};
  const std::int64_t seconds[] = {1, 2, 4, 8, 16, 20, 20};
  for (std::uint16_t attempts = 1; attempts <= 7; ++attempts) {
    const Duration full = Duration::seconds(seconds[attempts - 1]);
    Duration least = full;
    Duration most;
    for (int draw = 0; draw < 10'000; ++draw) {
      const Duration delay = retry_delay(backoff, attempts, random);
      ASSERT_GE(delay, full / 2);
      ASSERT_LE(delay, full);
      least = std::min(least, delay);
      most = std::max(most, delay);
    }
    // The draws fill the range: retries do spread.
    EXPECT_LT(least, full / 2 + full / 100);
    EXPECT_GT(most, full - full / 100);
  }
}

TEST(RetryPolicy, IsTheSameForTheSameSeed) {
  Random one(7);
  Random other(7);
  for (std::uint16_t attempts = 1; attempts < 50; ++attempts) {
    EXPECT_EQ(retry_delay(Backoff(), attempts, one), retry_delay(Backoff(), attempts, other));
  }
}

TEST(RetryPolicy, WaitsNotAtAllWithoutABackoff) {
  Random random(1);
  EXPECT_EQ(retry_delay({Duration(), Duration::hours(1)}, 1'000, random), Duration());
  EXPECT_EQ(retry_delay({Duration::seconds(1), Duration()}, 3, random), Duration());
  EXPECT_EQ(retry_delay({Duration::seconds(-5), Duration::seconds(9)}, 3, random), Duration());
}

TEST(RetryPolicy, AnInitialAboveTheMaximumIsTheMaximum) {
  Random random(1);
  const Duration delay = retry_delay({Duration::hours(5), Duration::seconds(2)}, 1, random);
  EXPECT_LE(delay, Duration::seconds(2));
  EXPECT_GE(delay, Duration::seconds(1));
}

TEST(RetryPolicy, NeverOverflows) {
  Random random(1);
  for (const Duration initial : {Duration::nanoseconds(1), Duration::seconds(1),
                                 kLongest / 2 + Duration::nanoseconds(1), kLongest}) {
    for (const Duration most : {kLongest, kLongest - Duration::nanoseconds(1), kLongest / 3}) {
      for (const int count : {1, 2, 3, 61, 62, 63, 64, 65, 1'000, 65'535}) {
        const auto attempts = static_cast<std::uint16_t>(count);
        const Duration delay = retry_delay({initial, most}, attempts, random);
        ASSERT_GE(delay, Duration());
        ASSERT_LE(delay, most);
      }
    }
  }
}

TEST(RetryPolicyDeathTest, NeedsAnAttempt) {
  Random random(1);
  EXPECT_DEATH(retry_delay(Backoff(), 0, random), "follows an attempt");
}

}  // namespace
}  // namespace millrace::broker::test
