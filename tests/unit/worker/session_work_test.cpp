// Dispatch, completion, recall, stop, timeout and credit.
#include "tests/unit/worker/session_fixture.h"

namespace millrace::worker {
namespace {

class SessionWorkTest : public SessionTest {
 protected:
  void SetUp() override { open(); }
};

TEST_F(SessionWorkTest, StartsInOrderAndNeverMoreThanItsSlots) {
  dispatch({task(1), task(2), task(3), task(4)});
  EXPECT_EQ(started(), (std::vector<HeldLease>{lease(1), lease(2)}));
  finish(lease(2));
  EXPECT_EQ(started(), std::vector<HeldLease>{lease(3)});
  tick();
  EXPECT_TRUE(actions_.starts.empty());
}

TEST_F(SessionWorkTest, ARepeatedDispatchOfAHeldLeaseIsIgnored) {
  dispatch({task(1)});
  dispatch({task(1)});
  EXPECT_TRUE(actions_.starts.empty());
  finish(lease(1));
  dispatch({task(1)});
  EXPECT_TRUE(actions_.starts.empty());
}

TEST_F(SessionWorkTest, AllThatEndedLeavesInOneComplete) {
  dispatch({task(1), task(2), task(3)});
  finish(lease(1));
  finish(lease(2), kSecond, Outcome::failed, "no route");
  tick();
  const auto messages = sent<Complete>();
  ASSERT_EQ(messages.size(), 1U);
  ASSERT_EQ(messages[0].items.size(), 2U);
  EXPECT_EQ(messages[0].items[0].result.text(), "done");
  EXPECT_EQ(messages[0].items[1].outcome, Outcome::failed);
  EXPECT_EQ(messages[0].items[1].error, "no route");
  EXPECT_EQ(messages[0].credit, 2U);
  EXPECT_EQ(messages[0].answers_recall, 0U);
}

TEST_F(SessionWorkTest, ACompletionIsRepeatedUntilItIsAcknowledged) {
  dispatch({task(1)});
  finish(lease(1));
  EXPECT_EQ(completions().size(), 1U);
  pass(kMillisecond * 1'999);
  EXPECT_TRUE(completions().empty());
  pass(kMillisecond);
  EXPECT_EQ(completions().size(), 1U);
  acknowledge(lease(1, 2));  // another fence
  EXPECT_EQ(session_.unacknowledged(), 1U);
  acknowledge(lease(1));
  EXPECT_EQ(session_.unacknowledged(), 0U);
  pass(kMillisecond * 2'900);
  EXPECT_TRUE(completions().empty());
}

TEST_F(SessionWorkTest, AfterANewWelcomeAllUnacknowledgedCompletionsAreRepeated) {
  dispatch({task(1), task(2)});
  finish(lease(1));
  tick();
  pulse(2);
  tick();
  const auto hello = sent<WorkerHello>();
  ASSERT_EQ(hello.size(), 1U);
  EXPECT_EQ(hello[0].holding, (std::vector<HeldLease>{lease(1), lease(2)}));
  finish(lease(2));
  EXPECT_TRUE(completions().empty()) << "nothing but hellos before the Welcome";
  receive(welcome(hello[0].hello_number, 2));
  const auto repeated = completions();
  ASSERT_EQ(repeated.size(), 2U);
  EXPECT_EQ(repeated[0].task, lease(1).task);
}

TEST_F(SessionWorkTest, AStaleAnswerIsCountedAndNotRepeated) {
  dispatch({task(1)});
  finish(lease(1));
  tick();
  acknowledge(lease(1), false);
  EXPECT_EQ(session_.totals().stale, 1U);
  EXPECT_EQ(session_.unacknowledged(), 0U);
}

TEST_F(SessionWorkTest, RecallHandsBackOnlyWhatHasNotStarted) {
  dispatch({task(1), task(2), task(3), task(4)});
  receive(Recall{77, {lease(1), lease(3), lease(9)}});
  tick();
  const auto messages = sent<Complete>();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].answers_recall, 77U);
  ASSERT_EQ(messages[0].items.size(), 1U);
  EXPECT_EQ(messages[0].items[0].task, lease(3).task);
  EXPECT_EQ(messages[0].items[0].outcome, Outcome::released);
}

TEST_F(SessionWorkTest, EveryRecallIsAnsweredEvenIfNothingComesBack) {
  receive(Recall{5, {lease(1)}});
  receive(Recall{6, {}});
  tick();
  const auto messages = sent<Complete>();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].answers_recall, 5U);
  EXPECT_EQ(messages[1].answers_recall, 6U);
  EXPECT_TRUE(messages[0].items.empty());
}

TEST_F(SessionWorkTest, CancelOfAWaitingTaskIsAnsweredAtOnce) {
  dispatch({task(1), task(2), task(3)});
  stop(lease(3), StopCause::cancelled);
  EXPECT_TRUE(actions_.stops.empty());
  const auto items = completions();
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].outcome, Outcome::cancelled);
}

TEST_F(SessionWorkTest, CancelOfARunningTaskIsAnsweredAtItsEndAndBeatsASuccess) {
  dispatch({task(1)});
  stop(lease(1), StopCause::cancelled);
  ASSERT_EQ(actions_.stops.size(), 1U);
  EXPECT_TRUE(completions().empty());
  stop(lease(1), StopCause::cancelled);
  EXPECT_TRUE(actions_.stops.empty()) << "once is enough";
  finish(lease(1));
  const auto items = completions();
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].outcome, Outcome::cancelled);
  EXPECT_TRUE(items[0].result.empty());
}

TEST_F(SessionWorkTest, AStaleTaskEndsInSilenceAndItsSlotCountsUntilThen) {
  dispatch({task(1), task(2), task(3)});
  stop(lease(1), StopCause::stale_lease);
  stop(lease(3), StopCause::timed_out);
  EXPECT_EQ(session_.waiting(), 0U);
  tick();
  ASSERT_EQ(sent<Complete>().size(), 1U);
  EXPECT_TRUE(sent<Complete>()[0].items.empty());
  EXPECT_EQ(sent<Complete>()[0].credit, 1U);
  finish(lease(1));
  tick();
  ASSERT_EQ(sent<Complete>().size(), 1U);
  EXPECT_TRUE(sent<Complete>()[0].items.empty());
  EXPECT_EQ(sent<Complete>()[0].credit, 2U);
}

TEST_F(SessionWorkTest, TimeoutIsReportedAtOnceWhileTheSlotStaysOccupied) {
  dispatch({task(1, Duration::minutes(5)), task(2)});
  for (int i = 0; i < 299; ++i) {
    pass(kSecond);
    pulse(1);
    tick();
    ASSERT_TRUE(actions_.stops.empty());
  }
  pass(kSecond);
  EXPECT_LE(session_.next_deadline(), now_);
  tick();
  ASSERT_EQ(actions_.stops.size(), 2U);
  EXPECT_EQ(actions_.stops[0].cause, StopCause::timed_out);
  const auto messages = sent<Complete>();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].items[0].outcome, Outcome::timed_out);
  EXPECT_EQ(messages[0].items[0].error, "timed out after 5m");
  EXPECT_EQ(messages[0].credit, 0U);
  EXPECT_TRUE(actions_.starts.empty());
  EXPECT_EQ(session_.running(), 2U);
  acknowledge(lease(1));
  finish(lease(1));
  EXPECT_EQ(session_.running(), 1U);
  EXPECT_TRUE(completions().empty()) << "the late result is nobody's";
}

TEST_F(SessionWorkTest, TheRetryOfAnOverdueTaskIsAnotherLease) {
  dispatch({task(1, kSecond)});
  pass(kSecond);
  tick();
  acknowledge(lease(1));
  dispatch({task(1, kSecond, 2)});
  EXPECT_EQ(started(), std::vector<HeldLease>{lease(1, 2)});
  finish(lease(1, 1));
  EXPECT_TRUE(completions().empty());
  finish(lease(1, 2));
  ASSERT_EQ(completions().size(), 1U);
}

TEST_F(SessionWorkTest, ATaskWithoutTimeoutRunsOn) {
  dispatch({task(1, Duration())});
  pass(Duration::days(30));
  tick();
  EXPECT_TRUE(actions_.stops.empty());
}

TEST_F(SessionWorkTest, ALateStartRearmsTheBrokersTimeout) {
  dispatch({task(1), task(2), task(3), task(4)});
  pass(kMillisecond * 50);
  finish(lease(1));
  tick();
  EXPECT_TRUE(sent<Extend>().empty());
  pass(kMillisecond);
  finish(lease(2));
  tick();
  ASSERT_EQ(sent<Extend>().size(), 1U);
  ASSERT_EQ(sent<Extend>()[0].items.size(), 1U);
  EXPECT_EQ(sent<Extend>()[0].items[0].task, lease(4).task);
  EXPECT_EQ(sent<Extend>()[0].items[0].by, Duration());
}

TEST_F(SessionWorkTest, AnExtensionMovesTheDeadlineAndProgressNeverShortensIt) {
  dispatch({task(1, kSecond)});
  actions_.clear();
  session_.extend(Extension{lease(1).task, lease(1).fence, kSecond * 60, 0}, now_, actions_);
  session_.extend(Extension{lease(1).task, lease(1).fence, Duration(), 40}, now_, actions_);
  tick();
  ASSERT_EQ(sent<Extend>().size(), 1U);
  EXPECT_EQ(sent<Extend>()[0].items[0].by, kSecond * 60);
  EXPECT_EQ(sent<Extend>()[0].items[0].progress_percent, 40);
  pass(kMillisecond * 59'999);
  tick();
  EXPECT_TRUE(actions_.stops.empty());
  pass(kMillisecond);
  tick();
  EXPECT_EQ(actions_.stops.size(), 1U);
}

TEST_F(SessionWorkTest, ExtensionsOfUnknownOrEndedAttemptsAreIgnored) {
  actions_.clear();
  session_.extend(Extension{lease(8).task, lease(8).fence, kSecond, 0}, now_, actions_);
  dispatch({task(1)});
  session_.extend(Extension{lease(1).task, lease(1).fence, kSecond, 0}, now_, actions_);
  finish(lease(1));
  tick();
  EXPECT_TRUE(sent<Extend>().empty());
}

TEST_F(SessionWorkTest, ATaskThatWaitedASecondGoesBackAndNothingBeyondTheSlotsIsWanted) {
  for (std::uint8_t i = 10; i < 40; ++i) {  // tiny tasks make it want a backlog
    dispatch({task(i)});
    finish(lease(i), Duration::microseconds(100));
  }
  tick();
  ASSERT_GT(sent<Complete>()[0].credit, 2U);
  dispatch({task(1), task(2), task(3)});
  pass(kMillisecond * 999);
  EXPECT_TRUE(completions().empty());
  pass(kMillisecond);
  const auto items = completions();
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].task, lease(3).task);
  EXPECT_EQ(items[0].outcome, Outcome::released);
  EXPECT_EQ(sent<Complete>().back().credit, 2U);
}

TEST_F(SessionWorkTest, AResultOverTheLimitFailsForGood) {
  pulse(2);
  tick();
  WorkerWelcome message = welcome(sent<WorkerHello>()[0].hello_number, 2);
  message.limits.result_bytes_max = ByteCount(3);
  receive(message);
  dispatch({task(1)});
  finish(lease(1));
  const auto items = completions();
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].outcome, Outcome::failed_for_good);
  EXPECT_TRUE(items[0].result.empty());
  EXPECT_NE(items[0].error.find("larger than 3"), std::string::npos);
}

TEST_F(SessionWorkTest, OfALongErrorTheEndIsKept) {
  dispatch({task(1)});
  finish(lease(1), kSecond, Outcome::failed, std::string(10'000, 'x') + "the cause");
  const auto items = completions();
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].error.size(), 4'096U);
  EXPECT_EQ(items[0].error.substr(4'087), "the cause");
}

TEST_F(SessionWorkTest, BatchesKeepToTheLimits) {
  pulse(2);
  tick();
  WorkerWelcome message = welcome(sent<WorkerHello>()[0].hello_number, 2);
  message.limits.batch_items_max = 2;
  receive(message);
  for (std::uint8_t i = 1; i <= 5; ++i) {
    dispatch({task(i)});
    finish(lease(i));
  }
  receive(Recall{3, {}});
  tick();
  const auto messages = sent<Complete>();
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(messages[0].items.size(), 2U);
  EXPECT_EQ(messages[0].answers_recall, 0U);
  EXPECT_EQ(messages[2].items.size(), 1U);
  EXPECT_EQ(messages[2].answers_recall, 3U);
}

}  // namespace
}  // namespace millrace::worker
