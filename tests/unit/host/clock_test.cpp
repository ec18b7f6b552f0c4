#include "common/host/clock.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace millrace::host {
namespace {

TEST(Clock, NeverRunsBackwards) {
  const Clock clock;
  Time before = clock.now();
  for (int i = 0; i < 100'000; ++i) {
    const Time now = clock.now();
    ASSERT_GE(now, before);
    before = now;
  }
}

TEST(Clock, IsWallTime) {
  const Clock clock;
  const auto seconds = static_cast<std::int64_t>(::time(nullptr));
  const Duration off = clock.now() - Time::since_epoch(Duration::seconds(seconds));
  EXPECT_LT(off, Duration::minutes(1));
  EXPECT_GT(off, Duration::minutes(-1));
}

TEST(Clock, IsOneTimeForAllThreads) {
  const Clock clock;
  const Time before = clock.now();
  Time inside;
  std::thread([&] { inside = clock.now(); }).join();
  EXPECT_GE(inside, before);
  EXPECT_GE(clock.now(), inside);
}

}  // namespace
}  // namespace millrace::host
