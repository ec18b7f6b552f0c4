// The session's parts on their own: prefetch, run-ahead, reports.
#include "tests/unit/worker/session_fixture.h"

namespace millrace::worker {
namespace {

TEST(PrefetchTest, WantsNothingBeforeItHasMeasured) {
  Prefetch prefetch(4, 1'000);
  prefetch.refilled();
  prefetch.ran_empty();
  EXPECT_EQ(prefetch.tasks(), 0U);
}

TEST(PrefetchTest, WantsWhatTheSlotsFinishInTwentyMilliseconds) {
  Prefetch prefetch(4, 1'000);
  prefetch.observe(Duration::milliseconds(2));
  EXPECT_EQ(prefetch.tasks(), 40U);
}

TEST(PrefetchTest, LongTasksAreNotPrefetched) {
  Prefetch prefetch(4, 1'000);
  prefetch.observe(Duration::milliseconds(100));
  prefetch.refilled();
  prefetch.ran_empty();
  EXPECT_EQ(prefetch.tasks(), 0U);
}

TEST(PrefetchTest, TinyTasksAreCappedAndZeroTimeIsSafe) {
  Prefetch prefetch(64, 1'000);
  prefetch.observe(Duration());
  EXPECT_EQ(prefetch.tasks(), 1'000U);
}

TEST(PrefetchTest, GrowsOnceARefillWhenItRanEmptyUpToABound) {
  Prefetch prefetch(1, 1'000);
  prefetch.observe(Duration::milliseconds(2));
  ASSERT_EQ(prefetch.tasks(), 10U);
  prefetch.refilled();
  prefetch.ran_empty();
  prefetch.ran_empty();
  EXPECT_EQ(prefetch.tasks(), 20U);
  for (int i = 0; i < 20; ++i) {
    prefetch.refilled();
    prefetch.ran_empty();
  }
  EXPECT_EQ(prefetch.tasks(), 100U);
}

TEST(PrefetchTest, HoldsUntilTheNextEndOfAHandler) {
  Prefetch prefetch(1, 1'000);
  prefetch.observe(Duration::milliseconds(2));
  prefetch.hold();
  EXPECT_EQ(prefetch.tasks(), 0U);
  prefetch.observe(Duration::milliseconds(2));
  EXPECT_EQ(prefetch.tasks(), 10U);
}

class RunAheadTest : public SessionTest {};

TEST_F(RunAheadTest, TinyTasksStartAheadOfFreeSlotsOnlyWhereAllowed) {
  SessionSettings settings = settings_for(1);
  settings.run_ahead = kMillisecond;
  session_ = Session(settings, Random(1));
  open();
  dispatch({task(1), task(2)});
  EXPECT_EQ(actions_.starts.size(), 1U) << "nothing is measured yet";
  finish(lease(1), Duration::microseconds(250));
  dispatch({task(3), task(4), task(5), task(6), task(7), task(8)});
  EXPECT_EQ(session_.running(), 5U) << "one slot and a millisecond of 250 us tasks";
}

TEST(ReportsTest, KeepsTheFirstCompletionOfALease) {
  Reports reports;
  Completion first;
  first.outcome = Outcome::timed_out;
  Completion second;
  reports.add(first);
  reports.add(second);
  const auto batch = reports.take_batch(10, ByteCount(1'000), Time());
  ASSERT_EQ(batch.size(), 1U);
  EXPECT_EQ(batch[0].outcome, Outcome::timed_out);
}

TEST(ReportsTest, SplitsByBytesButAlwaysMovesOn) {
  Reports reports;
  for (std::uint64_t fence = 1; fence <= 3; ++fence) {
    Completion completion;
    completion.fence = Fence(fence);
    completion.result = SharedBytes::copy_of(std::string(2'000, 'x'));
    reports.add(completion);
  }
  EXPECT_EQ(reports.take_batch(10, ByteCount(1'000), Time()).size(), 1U);
  EXPECT_EQ(reports.take_batch(10, ByteCount(5'000), Time()).size(), 2U);
  EXPECT_TRUE(reports.take_batch(10, ByteCount(5'000), Time()).empty());
}

}  // namespace
}  // namespace millrace::worker
