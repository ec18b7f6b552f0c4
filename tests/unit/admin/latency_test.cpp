#include "broker/admin/latency.h"

#include <gtest/gtest.h>

namespace millrace::broker {
namespace {

constexpr std::size_t kLast = LatencySummary::kBuckets - 1;

TEST(Latency, NothingRecordedIsZero) {
  const LatencySummary summary;
  EXPECT_EQ(quantile(summary, 0.5), Duration());
  EXPECT_EQ(mean(summary), Duration());
}

TEST(Latency, BoundsArePowersOfTwoMicroseconds) {
  EXPECT_EQ(bucket_bound(0), Duration::microseconds(1));
  EXPECT_EQ(bucket_bound(10), Duration::microseconds(1'024));
  EXPECT_EQ(bucket_bound(kLast - 1), Duration::microseconds(std::int64_t{1} << 30));
  EXPECT_DEATH(bucket_bound(kLast), "no upper bound");
}

TEST(Latency, RecordingAgreesWithTheBounds) {
  for (std::size_t i = 1; i < kLast; ++i) {
    LatencySummary summary;
    summary.record(bucket_bound(i));
    EXPECT_EQ(summary.buckets[i], 1U) << i;
    summary.record(bucket_bound(i) + Duration::microseconds(1));
    EXPECT_EQ(summary.buckets[i + 1], 1U) << i;
  }
}

TEST(Latency, EveryQuantileLiesInTheBucketOfItsDuration) {
  LatencySummary summary;
  for (int i = 0; i < 90; ++i) summary.record(Duration::microseconds(100));  // (64, 128]
  for (int i = 0; i < 10; ++i) summary.record(Duration::milliseconds(50));   // (32.8, 65.5] ms
  EXPECT_GT(quantile(summary, 0.5), Duration::microseconds(64));
  EXPECT_LE(quantile(summary, 0.9), Duration::microseconds(128));
  EXPECT_GT(quantile(summary, 0.91), Duration::microseconds(32'768));
  EXPECT_EQ(quantile(summary, 1.0), Duration::microseconds(65'536));
}

TEST(Latency, QuantilesGrowAndOddSharesAreClamped) {
  LatencySummary summary;
  for (int i = 1; i < 5'000; i += 7) summary.record(Duration::microseconds(i));
  Duration before;
  for (int percent = 0; percent <= 100; ++percent) {
    const Duration now = quantile(summary, percent / 100.0);
    EXPECT_GE(now, before) << percent;
    before = now;
  }
  EXPECT_EQ(quantile(summary, -1), quantile(summary, 0));
  EXPECT_EQ(quantile(summary, 7), quantile(summary, 1));
}

TEST(Latency, TheLastBucketSaysAtLeast) {
  LatencySummary summary;
  summary.record(Duration::days(30));
  EXPECT_EQ(summary.buckets[kLast], 1U);
  EXPECT_EQ(quantile(summary, 0.5), bucket_bound(kLast - 1));
}

TEST(Latency, MeanIsExact) {
  LatencySummary summary;
  summary.record(Duration::milliseconds(1));
  summary.record(Duration::milliseconds(4));
  EXPECT_EQ(mean(summary), Duration::microseconds(2'500));
}

}  // namespace
}  // namespace millrace::broker
