// One HTTP lease against the broker's half of the talk, step by step and without a clock.
#include "broker/door/http_lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace millrace::broker {
namespace {

using Phase = HttpLease::Phase;
using ::testing::HasSubstr;

constexpr Duration kSecond = Duration::seconds(1);
constexpr Duration kLease = Duration::seconds(30);

class HttpLeaseTest : public ::testing::Test {
 protected:
  static HttpLease::Identity identity() {
    HttpLease::Identity identity;
    identity.worker.bytes[0] = 7;
    identity.name = "curl";
    identity.queues = {"mail", "video"};
    return identity;
  }

  static DispatchedTask dispatched(Duration timeout = Duration::minutes(5)) {
    DispatchedTask task;
    task.task.bytes[15] = 3;
    task.fence = Fence(4);
    task.timeout = timeout;
    task.queue = "mail";
    return task;
  }
  static HeldLease held() { return {dispatched().task, Fence(4)}; }

  void claim() { lease_ = HttpLease(identity(), kLease, Random(1), dispatched(), now_); }

  // The messages that a tick sends.
  std::vector<WorkerMessage> tick() {
    actions_ = lease_.tick(now_);
    return actions_.sends;
  }
  // The one completion among them; the outcome is none when there is no such.
  Completion reported() {
    for (const WorkerMessage& message : tick()) {
      const auto* complete = std::get_if<Complete>(&message);
      if (complete != nullptr && !complete->items.empty()) return complete->items.front();
    }
    Completion none;
    none.outcome = Outcome{0};
    return none;
  }
  void pass(Duration time) {  // the broker's pulse goes on
    for (; time > Duration(); time = time - kSecond) {
      now_ = now_ + std::min(time, kSecond);
      lease_.hear_pulse(Pulse{Epoch(1), ++pulses_, now_, false}, now_);
      for (const WorkerMessage& message : tick()) passed_.push_back(message);
    }
  }
  void welcome(std::vector<HeldLease> stale = {}) {
    const auto sends = tick();
    WorkerWelcome welcome;
    ASSERT_FALSE(sends.empty());
    welcome.hello_number = std::get<WorkerHello>(sends.front()).hello_number;
    welcome.session = SessionNonce(9);
    welcome.epoch = Epoch(1);
    welcome.stale = std::move(stale);
    lease_.receive(welcome, now_);
  }
  void dispatch(Duration timeout = Duration::minutes(5)) {
    welcome();
    lease_.receive(Dispatch{{dispatched(timeout)}}, now_);
  }
  void stop(StopCause cause) { lease_.receive(StopTasks{{{held().task, Fence(4), cause}}}, now_); }
  void answer(bool accepted) {
    lease_.receive(Completed{{{held().task, Fence(4), accepted}}}, now_);
    tick();
  }
  void succeed() { lease_.finish(Outcome::succeeded, SharedBytes::copy_of("r"), "", now_); }

  Time now_ = Time::since_epoch(Duration::seconds(1'000));
  std::uint64_t pulses_ = 0;
  HttpLease lease_{identity(), kLease, Random(1), now_};
  worker::Actions actions_;
  std::vector<WorkerMessage> passed_;
};

TEST_F(HttpLeaseTest, WantsOneTaskAndNoOther) {
  const auto sends = tick();
  ASSERT_EQ(sends.size(), 1U);
  const auto& hello = std::get<WorkerHello>(sends.front());
  EXPECT_EQ(hello.slots, 1U);
  EXPECT_EQ(hello.credit, 1U);
  EXPECT_THAT(hello.queues, ::testing::ElementsAre("mail", "video"));
  WorkerWelcome welcome;
  welcome.hello_number = hello.hello_number;
  welcome.epoch = Epoch(1);
  lease_.receive(welcome, now_);
  lease_.receive(Dispatch{{dispatched()}}, now_);
  EXPECT_EQ(lease_.phase(), Phase::held);
  EXPECT_EQ(lease_.task()->task, held().task);
  const auto more = tick();
  ASSERT_FALSE(more.empty());
  EXPECT_EQ(std::get<Complete>(more.front()).credit, 0U);
}

TEST_F(HttpLeaseTest, AHeldLeaseGoesOnAsLongAsItIsHeardOf) {
  dispatch();
  for (int i = 0; i < 5; ++i) {
    pass(Duration::seconds(29));
    lease_.heartbeat({}, now_);
    EXPECT_EQ(lease_.phase(), Phase::held);
  }
  EXPECT_EQ(lease_.answer(), LeaseState::held);
}

TEST_F(HttpLeaseTest, ALeaseThatNobodyMentionsLapsesAndTheAttemptIsSpent) {
  dispatch();
  passed_.clear();
  pass(Duration::seconds(31));
  Completion completion;
  for (const WorkerMessage& message : passed_) {
    const auto* complete = std::get_if<Complete>(&message);
    if (complete != nullptr && !complete->items.empty()) completion = complete->items.front();
  }
  EXPECT_EQ(completion.outcome, Outcome::timed_out);
  EXPECT_THAT(completion.error, HasSubstr("30s"));
  EXPECT_EQ(lease_.phase(), Phase::reporting);
  succeed();  // too late
  EXPECT_EQ(reported().outcome, Outcome{0});
}

TEST_F(HttpLeaseTest, ACompletionIsAnsweredAfterTheBroker) {
  dispatch();
  succeed();
  EXPECT_EQ(lease_.answer(), LeaseState::unknown);
  const Completion completion = reported();
  EXPECT_EQ(completion.outcome, Outcome::succeeded);
  EXPECT_EQ(completion.result.text(), "r");
  EXPECT_EQ(lease_.answer(), LeaseState::unknown);
  answer(true);
  EXPECT_EQ(lease_.answer(), LeaseState::accepted);
  EXPECT_EQ(lease_.phase(), Phase::ended);
  EXPECT_TRUE(std::holds_alternative<WorkerGoodbye>(actions_.sends.back()));
}

TEST_F(HttpLeaseTest, ARefusedCompletionIsStale) {
  dispatch();
  succeed();
  tick();
  answer(false);
  EXPECT_EQ(lease_.answer(), LeaseState::stale);
}

TEST_F(HttpLeaseTest, AnUnansweredCompletionIsSaidAgain) {
  dispatch();
  succeed();
  EXPECT_EQ(reported().outcome, Outcome::succeeded);
  passed_.clear();
  pass(Duration::seconds(3));
  EXPECT_FALSE(passed_.empty());
}

TEST_F(HttpLeaseTest, ALossHeardInsteadOfTheAnswerIsStale) {
  dispatch();
  succeed();
  tick();
  stop(StopCause::stale_lease);
  tick();
  EXPECT_EQ(lease_.answer(), LeaseState::stale);
  EXPECT_EQ(lease_.phase(), Phase::ended);
}

TEST_F(HttpLeaseTest, ALostLeaseEndsWithoutACompletion) {
  dispatch();
  tick();
  stop(StopCause::stale_lease);
  EXPECT_EQ(lease_.answer(), LeaseState::stale);
  EXPECT_EQ(reported().outcome, Outcome{0});
  EXPECT_EQ(lease_.phase(), Phase::ended);
}

TEST_F(HttpLeaseTest, TheAttemptTimeoutEndsTheLeaseWhateverTheHeartbeats) {
  dispatch(Duration::seconds(5));
  pass(Duration::seconds(4));
  lease_.heartbeat({}, now_);
  EXPECT_EQ(lease_.answer(), LeaseState::held);
  pass(Duration::seconds(2));
  lease_.heartbeat({}, now_);
  EXPECT_EQ(lease_.answer(), LeaseState::stale);
}

TEST_F(HttpLeaseTest, AnExtensionRunsTheAttemptTimeoutAnew) {
  dispatch(Duration::seconds(5));
  pass(Duration::seconds(4));
  lease_.heartbeat({Duration::seconds(20), 40}, now_);
  bool extended = false;
  for (const WorkerMessage& message : tick()) {
    const auto* extend = std::get_if<Extend>(&message);
    if (extend == nullptr) continue;
    extended = true;
    EXPECT_EQ(extend->items.front().by, Duration::seconds(20));
    EXPECT_EQ(extend->items.front().progress_percent, 40);
  }
  EXPECT_TRUE(extended);
  pass(Duration::seconds(15));
  EXPECT_EQ(lease_.answer(), LeaseState::held);
}

TEST_F(HttpLeaseTest, ACancelIsToldByTheNextHeartbeatAndAnswered) {
  dispatch();
  tick();
  stop(StopCause::cancelled);
  EXPECT_EQ(lease_.phase(), Phase::held);
  EXPECT_EQ(reported().outcome, Outcome{0});  // its holder may still run it
  lease_.heartbeat({}, now_);
  EXPECT_EQ(lease_.answer(), LeaseState::cancelled);
  EXPECT_EQ(reported().outcome, Outcome::cancelled);
}

TEST_F(HttpLeaseTest, ACompletionAfterACancelIsTheCancel) {
  dispatch();
  tick();
  stop(StopCause::cancelled);
  succeed();
  EXPECT_EQ(reported().outcome, Outcome::cancelled);
  answer(true);
  EXPECT_EQ(lease_.answer(), LeaseState::cancelled);
}

TEST_F(HttpLeaseTest, WhatComesAfterNobodyWaitsIsHandedBackAsNeverStarted) {
  dispatch();
  tick();
  lease_.withdraw(now_);
  const Completion completion = reported();
  EXPECT_EQ(completion.outcome, Outcome::released);
  EXPECT_EQ(completion.elapsed, Duration());
}

TEST_F(HttpLeaseTest, AnEndedWaitSaysGoodbye) {
  welcome();
  lease_.withdraw(now_);
  const auto sends = tick();
  ASSERT_FALSE(sends.empty());
  EXPECT_TRUE(std::holds_alternative<WorkerGoodbye>(sends.back()));
  EXPECT_EQ(lease_.phase(), Phase::ended);
}

TEST_F(HttpLeaseTest, AWaitThatEndsBeforeTheWelcomeSaysGoodbyeBehindItsHello) {
  lease_.withdraw(now_);
  const auto sends = tick();
  ASSERT_EQ(sends.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<WorkerHello>(sends[0]));
  EXPECT_TRUE(std::holds_alternative<WorkerGoodbye>(sends[1]));
  EXPECT_EQ(lease_.phase(), Phase::ended);
}

TEST_F(HttpLeaseTest, ARefusalForGoodIsTold) {
  tick();
  lease_.receive(Refused{RequestId(), ErrorCode::too_large, "too many queues", {}}, now_);
  ASSERT_TRUE(lease_.failure().has_value());
  EXPECT_EQ(lease_.failure()->code, ErrorCode::too_large);
  EXPECT_EQ(lease_.phase(), Phase::ended);
}

// ---- leases of the time before a restart --------------------------------------------------------

TEST_F(HttpLeaseTest, AClaimSaysHelloWithTheLease) {
  claim();
  const auto sends = tick();
  ASSERT_FALSE(sends.empty());
  const auto& hello = std::get<WorkerHello>(sends.front());
  EXPECT_THAT(hello.holding, ::testing::ElementsAre(held()));
  EXPECT_EQ(hello.credit, 0U);
  EXPECT_EQ(lease_.phase(), Phase::claiming);
}

TEST_F(HttpLeaseTest, AConfirmedClaimIsHeldAndCompletes) {
  claim();
  welcome();
  EXPECT_EQ(lease_.phase(), Phase::held);
  EXPECT_EQ(lease_.answer(), LeaseState::held);
  succeed();
  EXPECT_EQ(reported().outcome, Outcome::succeeded);
  answer(true);
  EXPECT_EQ(lease_.answer(), LeaseState::accepted);
}

TEST_F(HttpLeaseTest, ARefusedClaimIsStale) {
  claim();
  welcome({held()});
  EXPECT_EQ(lease_.answer(), LeaseState::stale);
  EXPECT_EQ(reported().outcome, Outcome{0});
  EXPECT_EQ(lease_.phase(), Phase::ended);
}

TEST_F(HttpLeaseTest, AClaimOfACancelledTaskIsToldSo) {
  claim();
  welcome();
  stop(StopCause::cancelled);
  lease_.heartbeat({}, now_);
  EXPECT_EQ(lease_.answer(), LeaseState::cancelled);
}

}  // namespace
}  // namespace millrace::broker
