#include "broker/core/pace.h"

#include <gtest/gtest.h>

#include "tests/unit/core/fixtures.h"

namespace millrace::broker::test {
namespace {

TEST(Pace, IsUnknownBeforeAnythingHappened) {
  const Pace pace;
  EXPECT_EQ(pace.time_for(5, at_seconds(100)), Duration());
}

TEST(Pace, FollowsTheLastWindow) {
  Pace pace;
  for (int second = 0; second < 100; ++second) {
    for (int n = 0; n < 4; ++n) pace.note(at_seconds(second));
  }
  const Duration expected = pace.time_for(400, at_seconds(100));
  EXPECT_GE(expected, Duration::seconds(90));
  EXPECT_LE(expected, Duration::seconds(112));
}

TEST(Pace, KnowsAPaceWithinItsFirstWindow) {
  Pace pace;
  pace.note(at_seconds(0));
  EXPECT_EQ(pace.time_for(1, at_seconds(0)), Duration()) << "no time has passed to measure with";
  pace.note(at_seconds(2));
  EXPECT_EQ(pace.time_for(3, at_seconds(2)), Duration::seconds(3));
}

TEST(Pace, ForgetsWhatWasLongAgo) {
  Pace pace;
  for (int n = 0; n < 1'000; ++n) pace.note(at_seconds(n / 100));
  EXPECT_GT(pace.time_for(1, at_seconds(15)), Duration());
  EXPECT_EQ(pace.time_for(1, at_seconds(60)), Duration());
}

TEST(Pace, IsBounded) {
  Pace pace;
  pace.note(at_seconds(0));
  EXPECT_EQ(pace.time_for(UINT64_MAX, at_seconds(9)), Duration::days(3'650));
}

}  // namespace
}  // namespace millrace::broker::test
