// Reads a LatencySummary back as quantiles. Pure functions on plain values; thread-safe.
#pragma once

#include <cstddef>

#include "broker/admin/status_snapshot.h"

namespace millrace::broker {

// The largest duration that bucket `index` counts: 2^index microseconds. The last bucket has no
// upper bound. Requires index < LatencySummary::kBuckets - 1.
Duration bucket_bound(std::size_t index);

// The duration below which the share `q` (0..1, clamped) of all durations lies, interpolated
// linearly within its bucket, so at most a factor of two off. In the last bucket, its lower bound:
// "at least". Zero when nothing was recorded.
Duration quantile(const LatencySummary& summary, double q);

// The exact mean; zero when nothing was recorded.
Duration mean(const LatencySummary& summary);

}  // namespace millrace::broker
