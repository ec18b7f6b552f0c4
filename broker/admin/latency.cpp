#include "broker/admin/latency.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "common/base/check.h"

namespace millrace::broker {
namespace {

constexpr std::size_t kLastBucket = LatencySummary::kBuckets - 1;

std::size_t bucket_of(std::int64_t nanoseconds) {
  const auto microseconds = static_cast<std::uint64_t>(nanoseconds / 1'000) +
                            static_cast<std::uint64_t>(nanoseconds % 1'000 != 0);
  if (microseconds <= 1) return 0;
  const auto index = static_cast<std::size_t>(std::bit_width(microseconds - 1));
  return std::min(index, kLastBucket);
}

}  // namespace

void record(LatencySummary& summary, Duration duration) {
  const std::int64_t nanoseconds = std::max<std::int64_t>(0, duration.in_nanoseconds());
  ++summary.buckets[bucket_of(nanoseconds)];
  ++summary.count;
  const std::int64_t room =
      std::numeric_limits<std::int64_t>::max() - summary.total.in_nanoseconds();
  summary.total += Duration::nanoseconds(std::min(nanoseconds, room));
}

Duration bucket_bound(std::size_t index) {
  MILLRACE_CHECK(index < kLastBucket, "the last bucket has no upper bound");
  return Duration::microseconds(std::int64_t{1} << index);
}

Duration quantile(const LatencySummary& summary, double q) {
  if (summary.count == 0) return Duration();
  const double rank = std::clamp(q, 0.0, 1.0) * static_cast<double>(summary.count);
  double below = 0;
  for (std::size_t i = 0; i < kLastBucket; ++i) {
    const auto here = static_cast<double>(summary.buckets[i]);
    if (here > 0 && below + here >= rank) {
      const Duration low = i == 0 ? Duration() : bucket_bound(i - 1);
      const auto width = static_cast<double>((bucket_bound(i) - low).in_nanoseconds());
      const double share = std::max(0.0, rank - below) / here;
      return low + Duration::nanoseconds(static_cast<std::int64_t>(width * share));
    }
    below += here;
  }
  return bucket_bound(kLastBucket - 1);
}

Duration mean(const LatencySummary& summary) {
  if (summary.count == 0) return Duration();
  const double average =
      static_cast<double>(summary.total.in_nanoseconds()) / static_cast<double>(summary.count);
  return Duration::nanoseconds(static_cast<std::int64_t>(average));
}

}  // namespace millrace::broker
