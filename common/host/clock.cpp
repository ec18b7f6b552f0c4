#include "common/host/clock.h"

#include <chrono>

namespace millrace::host {
namespace {

template <class SystemClock>
Duration since_its_epoch() {
  using std::chrono::nanoseconds;
  const auto count = std::chrono::duration_cast<nanoseconds>(SystemClock::now().time_since_epoch());
  return Duration::nanoseconds(count.count());
}

}  // namespace

Clock::Clock()
    : offset_(since_its_epoch<std::chrono::system_clock>() -
              since_its_epoch<std::chrono::steady_clock>()) {}

Time Clock::now() const {
  return Time::since_epoch(since_its_epoch<std::chrono::steady_clock>() + offset_);
}

}  // namespace millrace::host
