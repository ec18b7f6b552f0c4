// Watches and other requests.
#include "tests/unit/client/session_fixture.h"

namespace millrace::client {
namespace {

using SessionWatch = SessionFixture;
using SessionRequest = SessionFixture;

std::vector<TaskId> many_ids(std::size_t count) {
  std::vector<TaskId> ids(count);
  for (std::size_t i = 0; i < count; ++i) {
    ids[i].bytes[0] = 2;
    ids[i].bytes[1] = static_cast<std::uint8_t>(i >> 16);
    ids[i].bytes[2] = static_cast<std::uint8_t>(i >> 8);
    ids[i].bytes[3] = static_cast<std::uint8_t>(i);
  }
  return ids;
}

TEST_F(SessionWatch, AsksAtOnceAndTellsTheEndOnce) {
  connect();
  watch({task_id(1)});
  ASSERT_EQ(sent<Watch>().size(), 1U);
  finish(1);
  EXPECT_EQ(told<FinishedTask>().size(), 1U);
  finish(1);
  EXPECT_TRUE(told<FinishedTask>().empty()) << "a repeated end is ignored";
}

TEST_F(SessionWatch, AnUnwatchedEndIsIgnored) {
  connect();
  finish(9);
  EXPECT_TRUE(told<FinishedTask>().empty());
}

TEST_F(SessionWatch, UnknownTasksAreTold) {
  connect();
  watch({task_id(1), task_id(2)});
  receive(Watching{last_sent<Watch>().request, {task_id(2)}});
  ASSERT_EQ(told<UnknownTask>().size(), 1U);
  EXPECT_EQ(told<UnknownTask>()[0].id, task_id(2));
  EXPECT_EQ(session.watched(), 1U);
}

TEST_F(SessionWatch, AsksAgainWhenNothingIsHeard) {
  connect();
  watch({task_id(1)});
  receive(Watching{last_sent<Watch>().request, {}});
  run_until(now + Duration::milliseconds(1'900));
  EXPECT_TRUE(sent<Watch>().empty());
  run_until(now + Duration::milliseconds(200));
  ASSERT_EQ(sent<Watch>().size(), 1U);
  EXPECT_EQ(sent<Watch>()[0].tasks, std::vector<TaskId>{task_id(1)});
}

TEST_F(SessionWatch, ALostEndAmongManyIsAskedForInTheEnd) {
  connect();
  watch({task_id(1)});
  receive(Watching{last_sent<Watch>().request, {}});
  bool asked_again = false;
  for (int i = 0; i < 31 && !asked_again; ++i) {
    watch({task_id(2)});
    finish(2);
    run_until(now + kSecond);
    for (const Watch& question : sent<Watch>()) {
      asked_again |= question.tasks == std::vector<TaskId>{task_id(1)};
    }
    receive(Pong{RequestId(), Epoch(1)});
  }
  EXPECT_TRUE(asked_again);
}

TEST_F(SessionWatch, AsksAboutAllAfterANewEpoch) {
  connect();
  watch({task_id(1), task_id(2)});
  finish(1);
  pulse(2);
  welcome(2);
  ASSERT_EQ(sent<Watch>().size(), 1U);
  EXPECT_EQ(sent<Watch>()[0].tasks, std::vector<TaskId>{task_id(2)});
}

TEST_F(SessionWatch, ASubmittedTaskIsWatchedOnlyOnceAccepted) {
  connect();
  submit({1}, true);
  const Submit first = last_sent<Submit>();
  pulse(2);
  welcome(2);
  EXPECT_TRUE(sent<Watch>().empty()) << "the broker may not know it yet";
  answer(last_sent<Submit>(), SubmitStatus::accepted);
  run_until(now + Duration::milliseconds(2'100));
  EXPECT_EQ(sent<Watch>().size(), 1U);
}

TEST_F(SessionWatch, AnEndBeforeTheAnswerToItsSubmitCounts) {
  connect();
  submit({1}, true);
  const Submit first = last_sent<Submit>();
  finish(1);
  EXPECT_EQ(told<FinishedTask>().size(), 1U);
  answer(first, SubmitStatus::accepted);
  EXPECT_EQ(told<SubmitResult>().size(), 1U);
  EXPECT_EQ(session.watched(), 0U);
}

TEST_F(SessionWatch, ARefusedTaskIsNotAwaited) {
  connect();
  submit({1}, true);
  answer(last_sent<Submit>(), SubmitStatus::invalid);
  EXPECT_EQ(session.watched(), 0U);
}

TEST_F(SessionWatch, ManyAreAskedInBatchesWithABoundOnUnanswered) {
  connect();
  watch(many_ids(25'000));
  const std::vector<Watch> questions = sent<Watch>();
  ASSERT_EQ(questions.size(), 10U);
  for (const Watch& question : questions) EXPECT_EQ(question.tasks.size(), 1'000U);
  receive(Watching{questions[0].request, {}});
  EXPECT_EQ(sent<Watch>().size(), 1U) << "an answer makes room";
}

TEST_F(SessionWatch, ARefusedWatchIsAskedAgainAfterAPause) {
  connect();
  watch({task_id(1)});
  refuse(last_sent<Watch>().request, ErrorCode::busy);
  EXPECT_TRUE(sent<Watch>().empty());
  run_until(now + Duration::milliseconds(1'100));
  EXPECT_EQ(sent<Watch>().size(), 1U);
}

TEST_F(SessionWatch, UnwatchForgets) {
  connect();
  watch({task_id(1)});
  session.unwatch({task_id(1)});
  EXPECT_FALSE(session.has_outstanding());
}

TEST_F(SessionRequest, IsAnsweredUnderItsNumber) {
  connect();
  actions.clear();
  const RequestId request = session.request(Cancel{{}, {task_id(1)}}, Time::never(), now, actions);
  EXPECT_EQ(last_sent<Cancel>().request, request);
  receive(Cancelled{request, {CancelAnswer{}}});
  ASSERT_EQ(told<Reply>().size(), 1U);
  EXPECT_EQ(told<Reply>()[0].request, request);
  receive(Cancelled{request, {CancelAnswer{}}});
  EXPECT_TRUE(told<Reply>().empty()) << "a second answer is ignored";
}

TEST_F(SessionRequest, AskedBeforeTheWelcomeIsSentAfterIt) {
  start();
  const Actions before = actions;
  session.request(GetStatus{}, Time::never(), now, actions);
  welcome();
  EXPECT_EQ(sent<GetStatus>().size(), 1U);
}

TEST_F(SessionRequest, UnansweredIsSentAgainAndGivenUpAtItsDeadline) {
  connect();
  session.request(GetStatus{}, now + Duration::milliseconds(2'500), now, actions);
  run_until(now + Duration::milliseconds(2'100));
  EXPECT_EQ(sent<GetStatus>().size(), 1U);
  run_until(now + kSecond);
  EXPECT_EQ(told<RequestUnanswered>().size(), 1U);
  EXPECT_FALSE(session.has_outstanding());
}

TEST_F(SessionRequest, BusyIsRetriedOtherRefusalsAreFinal) {
  connect();
  const RequestId request = session.request(ListTasks{}, Time::never(), now, actions);
  refuse(request, ErrorCode::busy, Duration::milliseconds(300));
  EXPECT_TRUE(told<Reply>().empty());
  run_until(now + Duration::milliseconds(299));
  EXPECT_TRUE(sent<ListTasks>().empty());
  run_until(now + kSecond);
  EXPECT_FALSE(sent<ListTasks>().empty());
  refuse(request, ErrorCode::invalid);
  ASSERT_EQ(told<Reply>().size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Refused>(told<Reply>()[0].reply));
}

TEST_F(SessionRequest, AnUnreadableMessageOfOursIsTold) {
  connect();
  refuse(RequestId(), ErrorCode::invalid);
  ASSERT_EQ(told<Reply>().size(), 1U);
  EXPECT_TRUE(told<Reply>()[0].request.is_none());
}

// Whatever comes in whatever order, a tick leaves nothing due, so a shell never spins.
TEST_F(SessionRequest, ATickNeverLeavesSomethingDue) {
  Random random(7);
  start();
  std::vector<ClientHello> seen;
  for (int step = 0; step < 20'000; ++step) {
    now = now + Duration::milliseconds(random.between(0, 700));
    actions.clear();
    const RequestId request(random.below(40));
    switch (random.below(9)) {
      case 0:
        submit({static_cast<std::uint8_t>(random.below(200))}, random.chance(1, 2));
        break;
      case 1:
        watch({task_id(static_cast<std::uint8_t>(random.below(200)))});
        break;
      case 2:
        finish(static_cast<std::uint8_t>(random.below(200)));
        break;
      case 3:
        pulse(1 + random.below(4));
        break;
      case 4:
        refuse(request, static_cast<ErrorCode>(1 + random.below(12)), kSecond);
        break;
      case 5:
        receive(Pong{request, Epoch(1 + random.below(4))});
        break;
      case 6:
        session.request(GetStatus{}, now + kSecond, now, actions);
        break;
      case 7:
        receive(BrokerGoodbye{""});
        break;
      default:
        tick();
        break;
    }
    for (const ClientHello& message : sent<ClientHello>()) seen.push_back(message);
    if (!seen.empty() && random.chance(1, 2)) {
      ClientWelcome reply;
      reply.request = seen.back().request;
      reply.epoch = Epoch(1 + random.below(4));
      receive(reply);
      for (const Submit& message : sent<Submit>()) {
        if (random.chance(1, 2)) answer(message, static_cast<SubmitStatus>(1 + random.below(8)));
      }
    }
    tick();
    for (const ClientHello& message : sent<ClientHello>()) seen.push_back(message);
    ASSERT_GT(session.next_deadline(), now) << "at step " << step;
  }
}

}  // namespace
}  // namespace millrace::client
