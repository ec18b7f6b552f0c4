// Promise P13 where it is kept: this program's wall clock can be set, its steady clock cannot.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <ctime>

#include "common/host/clock.h"

namespace {

std::atomic<std::int64_t> wall_error_seconds = 0;

}  // namespace

// In the place of libc's, for all of this program.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const auto result = static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += wall_error_seconds;
  return result;
}

namespace millrace::host {
namespace {

constexpr std::int64_t kYear = 365 * 24 * 3'600;

class ClockJump : public ::testing::Test {
 protected:
  ~ClockJump() override { wall_error_seconds = 0; }
};

TEST_F(ClockJump, MovesNothingInAProcessThatRuns) {
  const Clock clock;
  const Time before = clock.now();
  for (const std::int64_t error : {3'600L, -3'600L, kYear, -kYear}) {
    wall_error_seconds = error;
    const Time now = clock.now();
    EXPECT_GE(now, before) << error;
    EXPECT_LT(now, before + Duration::minutes(10)) << error;
  }
}

TEST_F(ClockJump, CountsFromTheNextStartOn) {
  const Clock before;
  wall_error_seconds = kYear;
  const Clock after;
  EXPECT_GT(after.now() - before.now(), Duration::days(364));
}

}  // namespace
}  // namespace millrace::host
