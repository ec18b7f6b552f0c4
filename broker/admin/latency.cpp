#include "broker/admin/latency.h"

#include <algorithm>
#include <cstdint>

#include "common/base/check.h"

namespace millrace::broker {
namespace {

constexpr std::size_t kLastBucket = LatencySummary::kBuckets - 1;

}  // namespace

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
