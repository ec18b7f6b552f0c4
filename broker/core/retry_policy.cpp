#include "broker/core/retry_policy.h"

#include <algorithm>

namespace millrace::broker {

Duration retry_delay(const Backoff& backoff, std::uint16_t attempts, Random& random) {
  MILLRACE_CHECK(attempts >= 1, "a retry follows an attempt");
  Duration delay = std::min(backoff.initial, backoff.max);
  for (std::uint16_t doubled = 1; doubled < attempts && delay < backoff.max; ++doubled) {
    delay = delay > backoff.max / 2 ? backoff.max : delay * 2;
  }
  const std::int64_t half = delay.in_nanoseconds() / 2;
  if (half <= 0) return Duration();
  return Duration::nanoseconds(random.between(half, delay.in_nanoseconds()));
}

}  // namespace millrace::broker
