// Submits: batches, bounds, answers, pauses, repetition.
#include <numeric>

#include "tests/unit/client/session_fixture.h"

namespace millrace::client {
namespace {

using SessionSubmit = SessionFixture;

class SmallSession : public SessionFixture {
 protected:
  SmallSession() : SessionFixture(small()) {}
  static SessionSettings small() {
    SessionSettings settings = test_settings();
    settings.batch_items = 3;
    settings.in_flight_tasks_max = 7;
    settings.batch_bytes = ByteCount(1'000);
    settings.in_flight_bytes_max = ByteCount(2'500);
    return settings;
  }
};

std::vector<std::uint8_t> numbers(std::uint8_t count) {
  std::vector<std::uint8_t> result(count);
  std::iota(result.begin(), result.end(), std::uint8_t{1});
  return result;
}

TEST_F(SmallSession, CutsBatchesAndStopsAtTheBoundOfUnansweredTasks) {
  connect();
  submit(numbers(20));
  const std::vector<Submit> batches = sent<Submit>();
  ASSERT_EQ(batches.size(), 3U);
  EXPECT_EQ(batches[0].tasks.size(), 3U);
  EXPECT_EQ(batches[1].tasks.size(), 3U);
  EXPECT_EQ(batches[2].tasks.size(), 1U);
  EXPECT_EQ(session.unanswered_submits(), 20U);
  answer(batches[0], SubmitStatus::accepted);
  ASSERT_EQ(sent<Submit>().size(), 1U) << "an answer makes room";
  EXPECT_EQ(ids_of(sent<Submit>()[0]), (std::vector<TaskId>{task_id(8), task_id(9), task_id(10)}));
}

TEST_F(SmallSession, CutsBatchesByBytes) {
  connect();
  submit({1, 2, 3}, false, 400);
  const std::vector<Submit> batches = sent<Submit>();
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_EQ(batches[0].tasks.size(), 2U);
}

TEST_F(SmallSession, ATaskOverTheBatchBytesTravelsAlone) {
  connect();
  submit({1}, false, 100);
  submit({2}, false, 2'000);
  submit({3}, false, 2'000);
  EXPECT_TRUE(sent<Submit>().empty()) << "the bytes in flight are bounded";
  submit({}, false);
  EXPECT_EQ(session.unanswered_submits(), 3U);
}

TEST_F(SmallSession, TheBrokersBatchLimitHolds) {
  start();
  PeerLimits limits;
  limits.batch_items_max = 2;
  welcome(1, limits);
  submit({1, 2, 3});
  ASSERT_EQ(sent<Submit>().size(), 2U);
  EXPECT_EQ(sent<Submit>()[0].tasks.size(), 2U);
}

TEST_F(SessionSubmit, WatchedAndUnwatchedTasksTravelApart) {
  start();
  submit({1}, false);
  submit({2}, true);
  welcome();
  const std::vector<Submit> batches = sent<Submit>();
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_FALSE(batches[0].watch);
  EXPECT_TRUE(batches[1].watch);
}

TEST_F(SessionSubmit, AnswersAreToldInOrderWithTheirMessages) {
  connect();
  submit({1, 2, 3});
  Submitted submitted;
  submitted.request = last_sent<Submit>().request;
  submitted.items = {SubmitAnswer{SubmitStatus::accepted, ""},
                     SubmitAnswer{SubmitStatus::conflict, "the id is taken"},
                     SubmitAnswer{SubmitStatus::duplicate, ""}};
  receive(submitted);
  const std::vector<SubmitResult> results = told<SubmitResult>();
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results[0].status, SubmitStatus::accepted);
  EXPECT_EQ(results[1].status, SubmitStatus::conflict);
  EXPECT_EQ(results[1].message, "the id is taken");
  EXPECT_EQ(results[2].status, SubmitStatus::duplicate);
  EXPECT_EQ(results[2].group, SubmitGroup(1));
  EXPECT_EQ(session.unanswered_submits(), 0U);
}

TEST_F(SessionSubmit, ASecondAnswerIsIgnored) {
  connect();
  submit({1});
  const Submit first = last_sent<Submit>();
  answer(first, SubmitStatus::accepted);
  answer(first, SubmitStatus::accepted);
  EXPECT_TRUE(told<SubmitResult>().empty());
}

TEST_F(SessionSubmit, AnAnswerOfTheWrongLengthChangesNothing) {
  connect();
  submit({1, 2});
  Submitted submitted;
  submitted.request = last_sent<Submit>().request;
  submitted.items.resize(1);
  receive(submitted);
  EXPECT_TRUE(told<SubmitResult>().empty());
  EXPECT_EQ(session.unanswered_submits(), 2U);
}

TEST_F(SessionSubmit, UnansweredIsSentAgainWithTheSameNumberAndLessAndLessOften) {
  connect();
  submit({1});
  const RequestId request = last_sent<Submit>().request;
  std::vector<Duration> gaps;
  Time last = now;
  for (int i = 0; i < 200 && gaps.size() < 4; ++i) {
    now = now + Duration::milliseconds(100);
    receive(Pong{RequestId(), Epoch(1)});
    const bool by_receive = !sent<Submit>().empty();
    if (!by_receive) tick();
    if (sent<Submit>().empty()) continue;
    EXPECT_EQ(last_sent<Submit>().request, request);
    gaps.push_back(now - last);
    last = now;
  }
  const std::vector<Duration> expected = {Duration::seconds(2), Duration::seconds(4),
                                          Duration::seconds(8), Duration::seconds(8)};
  gaps.resize(expected.size());
  EXPECT_EQ(gaps[0], expected[0]);
  EXPECT_EQ(gaps[1], expected[1]);
  EXPECT_EQ(gaps[2], expected[2]);
}

TEST_F(SessionSubmit, ADuplicateOfOurOwnRepetitionIsAccepted) {
  connect();
  submit({1});
  pulse(2);
  welcome(2);
  answer(last_sent<Submit>(), SubmitStatus::duplicate);
  ASSERT_EQ(told<SubmitResult>().size(), 1U);
  EXPECT_EQ(told<SubmitResult>()[0].status, SubmitStatus::accepted);
}

TEST_F(SessionSubmit, LateAnswerUnderTheOldNumberAfterAReconnectIsIgnored) {
  connect();
  submit({1});
  const Submit before = last_sent<Submit>();
  pulse(2);
  welcome(2);
  answer(before, SubmitStatus::accepted);
  EXPECT_TRUE(told<SubmitResult>().empty());
  EXPECT_EQ(session.unanswered_submits(), 1U);
}

TEST_F(SessionSubmit, BusyTasksAreSentAgainAfterThePauseAndBeforeLaterOnes) {
  connect();
  submit({1, 2, 3});
  Submitted submitted;
  submitted.request = last_sent<Submit>().request;
  submitted.items = {SubmitAnswer{SubmitStatus::accepted, ""}, SubmitAnswer{SubmitStatus::busy, ""},
                     SubmitAnswer{SubmitStatus::store_full, ""}};
  submitted.retry_after = Duration::milliseconds(500);
  receive(submitted);
  EXPECT_EQ(told<SubmitResult>().size(), 1U);
  submit({4});
  EXPECT_TRUE(sent<Submit>().empty()) << "the pause holds for all";
  run_until(now + Duration::milliseconds(499));
  EXPECT_TRUE(sent<Submit>().empty());
  run_until(now + Duration::milliseconds(200));
  ASSERT_EQ(sent<Submit>().size(), 1U);
  EXPECT_EQ(ids_of(sent<Submit>()[0]), (std::vector<TaskId>{task_id(2), task_id(3), task_id(4)}));
}

TEST_F(SessionSubmit, AWholeSubmitRefusedAsBusyIsSentAgain) {
  connect();
  submit({1});
  refuse(last_sent<Submit>().request, ErrorCode::store_full, Duration::milliseconds(100));
  EXPECT_TRUE(told<SubmitResult>().empty());
  run_until(now + kSecond);
  EXPECT_FALSE(sent<Submit>().empty());
}

TEST_F(SessionSubmit, AnAbsurdPauseIsCut) {
  connect();
  submit({1});
  answer(last_sent<Submit>(), SubmitStatus::busy, Duration::days(300));
  EXPECT_LE(session.next_deadline(), now + Duration::seconds(62));
}

TEST_F(SessionSubmit, AWholeSubmitRefusedAsInvalidIsFinalForEachTask) {
  connect();
  submit({1, 2});
  refuse(last_sent<Submit>().request, ErrorCode::invalid);
  ASSERT_EQ(told<SubmitResult>().size(), 2U);
  EXPECT_EQ(told<SubmitResult>()[1].status, SubmitStatus::invalid);
  EXPECT_EQ(told<SubmitResult>()[1].message, "no");
}

TEST_F(SessionSubmit, GivesUpAtTheDeadlineAndTellsIt) {
  start();
  submit({1, 2}, false, 10, now + Duration::seconds(10));
  submit({3}, false, 10, now + Duration::seconds(20));
  run_until(now + Duration::seconds(11));
  ASSERT_EQ(told<SubmitUnanswered>().size(), 2U);
  EXPECT_EQ(session.unanswered_submits(), 1U);
}

TEST_F(SessionSubmit, GivesUpABatchUnderWay) {
  connect();
  submit({1}, true, 10, now + Duration::seconds(1));
  run_until(now + Duration::seconds(2));
  EXPECT_EQ(told<SubmitUnanswered>().size(), 1U);
  EXPECT_EQ(session.watched(), 0U);
  EXPECT_FALSE(session.has_outstanding());
}

TEST_F(SessionSubmit, AbandonedTasksAreNotSent) {
  start();
  submit({1, 2});
  session.abandon(SubmitGroup(1));
  welcome();
  EXPECT_TRUE(sent<Submit>().empty());
}

}  // namespace
}  // namespace millrace::client
