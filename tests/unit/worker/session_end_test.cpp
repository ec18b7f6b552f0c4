// Draining, abandoning and being told to.
#include "tests/unit/worker/session_fixture.h"

namespace millrace::worker {
namespace {

class SessionEndTest : public SessionTest {
 protected:
  void drain() {
    actions_.clear();
    session_.drain(now_, actions_);
  }
};

TEST_F(SessionEndTest, DrainHandsBackFinishesWaitsForTheAnswersAndSaysGoodbye) {
  open();
  dispatch({task(1), task(2), task(3)});
  drain();
  tick();
  ASSERT_EQ(sent<Complete>().size(), 1U);
  EXPECT_EQ(sent<Complete>()[0].credit, 0U);
  ASSERT_EQ(sent<Complete>()[0].items.size(), 1U);
  EXPECT_EQ(sent<Complete>()[0].items[0].outcome, Outcome::released);
  acknowledge(lease(3));
  finish(lease(1));
  finish(lease(2));
  tick();
  EXPECT_FALSE(actions_.finished) << "its completions are not durable yet";
  acknowledge(lease(1));
  acknowledge(lease(2));
  tick();
  EXPECT_TRUE(actions_.finished);
  EXPECT_EQ(sent<WorkerGoodbye>().size(), 1U);
}

TEST_F(SessionEndTest, AskedByTheBrokerItDrainsToo) {
  open();
  receive(Drain{});
  tick();
  EXPECT_TRUE(actions_.finished);
}

TEST_F(SessionEndTest, WorkThatArrivesWhileDrainingGoesBack) {
  open();
  dispatch({task(1)});
  drain();
  dispatch({task(2)});
  EXPECT_TRUE(actions_.starts.empty());
  const auto items = completions();
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].outcome, Outcome::released);
}

// A report may have been lost, and after the goodbye its lease is given to another worker.
TEST_F(SessionEndTest, ADrainSaysUnansweredReportsAgainBeforeItsGoodbye) {
  open();
  dispatch({task(1)});
  drain();
  finish(lease(1));
  for (int second = 0; second < 5; ++second) {
    tick();
    ASSERT_FALSE(actions_.finished);
    receive(StopTasks{});  // the broker is there
    pass(kSecond);
  }
  const std::vector<Completion> items = completions();
  ASSERT_TRUE(actions_.finished);
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].task, lease(1).task);
  EXPECT_TRUE(std::holds_alternative<WorkerGoodbye>(actions_.sends.back()));
}

TEST_F(SessionEndTest, AnAbandonSaysUnansweredReportsAgainBeforeItsGoodbye) {
  open();
  dispatch({task(1)});
  finish(lease(1));
  tick();
  actions_.clear();
  session_.abandon(now_, actions_);
  ASSERT_EQ(sent<Complete>().size(), 1U);
  ASSERT_EQ(sent<Complete>()[0].items.size(), 1U);
  EXPECT_EQ(sent<Complete>()[0].items[0].task, lease(1).task);
  EXPECT_TRUE(std::holds_alternative<WorkerGoodbye>(actions_.sends.back()));
}

TEST_F(SessionEndTest, WithoutABrokerItEndsAfterABoundedWait) {
  open();
  dispatch({task(1)});
  pulse(2);
  finish(lease(1));
  drain();
  tick();
  EXPECT_FALSE(actions_.finished);
  pass(kSecond * 5);
  EXPECT_LE(session_.next_deadline(), now_);
  tick();
  EXPECT_TRUE(actions_.finished);
}

TEST_F(SessionEndTest, NeverConnectedItEndsAtOnce) {
  tick();
  drain();
  tick();
  EXPECT_TRUE(actions_.finished);
  EXPECT_TRUE(sent<WorkerGoodbye>().empty());
}

TEST_F(SessionEndTest, AStuckAttemptDoesNotHoldUpADrain) {
  open();
  dispatch({task(1, kSecond)});
  pass(kSecond);
  tick();
  acknowledge(lease(1));
  drain();
  tick();
  EXPECT_TRUE(actions_.finished);
}

TEST_F(SessionEndTest, AbandonReleasesAllNamesWhatRunsAndLeaves) {
  open();
  dispatch({task(1), task(2), task(3)});
  actions_.clear();
  session_.abandon(now_, actions_);
  EXPECT_TRUE(actions_.finished);
  EXPECT_EQ(actions_.stops.size(), 2U);
  const auto messages = sent<Complete>();
  ASSERT_EQ(messages.size(), 1U);
  ASSERT_EQ(messages[0].items.size(), 3U);
  for (const Completion& item : messages[0].items) {
    EXPECT_EQ(item.outcome, Outcome::released);
  }
  ASSERT_TRUE(std::holds_alternative<WorkerGoodbye>(actions_.sends.back()));
  tick();
  EXPECT_TRUE(actions_.sends.empty());
}

TEST_F(SessionEndTest, AHelloWhileDrainingWantsNothing) {
  open();
  dispatch({task(1)});
  drain();
  pulse(2);
  tick();
  ASSERT_EQ(sent<WorkerHello>().size(), 1U);
  EXPECT_EQ(sent<WorkerHello>()[0].credit, 0U);
}

}  // namespace
}  // namespace millrace::worker
