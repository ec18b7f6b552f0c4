#include "worker/cpp/prefetch.h"

#include <algorithm>

namespace millrace::worker {
namespace {

constexpr Duration kBacklog = Duration::milliseconds(20);
constexpr Duration kBacklogMost = Duration::milliseconds(200);
constexpr Duration kLongTask = Duration::milliseconds(100);
constexpr std::int64_t kWeight = 8;  // a new measurement counts for 1/8 of the mean

}  // namespace

void Prefetch::observe(Duration elapsed) {
  const Duration measured = std::max(elapsed, Duration::nanoseconds(100));
  mean_ = mean_ == Duration() ? measured : mean_ + (measured - mean_) / kWeight;
  held_ = false;
  fit();
}

void Prefetch::ran_empty() {
  if (!may_grow_) return;
  may_grow_ = false;
  tasks_ = std::max<std::uint32_t>(1, std::min(tasks_max_, tasks_ * 2));
  fit();
}

std::uint32_t Prefetch::finished_in(Duration time, std::uint32_t most) const {
  if (mean_ == Duration() || mean_ >= kLongTask) return 0;
  // Below 2^32 slots and 200 ms this stays far from the end of 64 bits.
  const std::int64_t tasks = time.in_nanoseconds() * slots_ / mean_.in_nanoseconds();
  return static_cast<std::uint32_t>(std::min<std::int64_t>(tasks, most));
}

void Prefetch::fit() {
  const std::uint32_t least = finished_in(kBacklog, tasks_max_);
  const std::uint32_t most = finished_in(kBacklogMost, tasks_max_);
  tasks_ = std::clamp(tasks_, least, most);
}

}  // namespace millrace::worker
