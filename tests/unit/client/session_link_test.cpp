// Hello, silence, backoff, epochs and goodbye.
#include "tests/unit/client/session_fixture.h"

namespace millrace::client {
namespace {

using SessionLink = SessionFixture;

TEST_F(SessionLink, SaysHelloAndNothingElseBeforeTheWelcome) {
  start();
  EXPECT_EQ(sent<ClientHello>().size(), 1U);
  submit({1});
  EXPECT_TRUE(actions.sends.empty());
  EXPECT_FALSE(session.connected());
}

TEST_F(SessionLink, WelcomeConnectsWithTheBrokersLimits) {
  start();
  PeerLimits limits;
  limits.batch_items_max = 7;
  welcome(3, limits);
  EXPECT_TRUE(session.connected());
  EXPECT_EQ(session.epoch(), Epoch(3));
  EXPECT_EQ(session.limits(), limits);
  EXPECT_EQ(told<Connected>().size(), 1U);
}

TEST_F(SessionLink, WelcomeToAnotherHelloIsIgnored) {
  start();
  ClientWelcome stray;
  stray.request = RequestId(999);
  receive(stray);
  EXPECT_FALSE(session.connected());
}

TEST_F(SessionLink, UnansweredHelloIsRepeatedThenTheConnectionIsMadeAnew) {
  start();
  now = now + Duration::seconds(2);
  tick();
  EXPECT_EQ(sent<ClientHello>().size(), 1U);
  EXPECT_FALSE(actions.reconnect);
  run_until(now + Duration::seconds(4));
  EXPECT_TRUE(actions.reconnect);
  EXPECT_GE(sent<ClientHello>().size(), 1U);
}

TEST_F(SessionLink, SilenceWithWorkOutstandingReconnectsWithinTheBackoff) {
  connect();
  submit({1});
  run_until(now + Duration::milliseconds(2'900));
  EXPECT_FALSE(actions.reconnect);
  EXPECT_TRUE(session.connected());
  run_until(now + Duration::milliseconds(300));
  EXPECT_TRUE(actions.reconnect);
  ASSERT_EQ(sent<ClientHello>().size(), 1U);
  welcome();
  ASSERT_EQ(sent<Submit>().size(), 1U);
  EXPECT_EQ(ids_of(sent<Submit>()[0]), std::vector<TaskId>{task_id(1)});
}

TEST_F(SessionLink, ReconnectDropsWhatTheOldConnectionDidNotTake) {
  connect();
  submit({1});
  actions.clear();
  session.watch({task_id(9)}, now, actions);
  session.tick(now + Duration::seconds(10), actions);
  now = now + Duration::seconds(12);
  session.tick(now, actions);
  ASSERT_TRUE(actions.reconnect);
  EXPECT_EQ(actions.sends.size(), sent<ClientHello>().size()) << "only the hello is left";
}

TEST_F(SessionLink, IdleSilenceIsNoSilence) {
  connect();
  run_until(now + Duration::hours(1));
  EXPECT_FALSE(actions.reconnect);
  EXPECT_TRUE(actions.sends.empty());
  submit({1});
  run_until(now + Duration::seconds(2));
  EXPECT_FALSE(actions.reconnect) << "the silence begins with the question";
}

TEST_F(SessionLink, PingsEverySecondWhileSomethingIsOutstanding) {
  connect();
  watch({task_id(1)});
  now = now + kSecond;
  tick();
  EXPECT_EQ(sent<Ping>().size(), 1U);
}

TEST_F(SessionLink, PulsesWithoutRepliesDoNotHideABrokenConnection) {
  connect();
  submit({1});
  bool reconnected = false;
  for (int i = 0; i < 8 && !reconnected; ++i) {
    run_until(now + kSecond);
    reconnected = actions.reconnect;
    pulse(1);
    if (i == 3) {
      EXPECT_FALSE(reconnected) << "pulses keep it for a while";
    }
  }
  EXPECT_TRUE(reconnected);
}

TEST_F(SessionLink, NewEpochInAPulseSaysHelloAndSubmitsAgain) {
  connect();
  submit({1, 2});
  pulse(2);
  ASSERT_EQ(sent<ClientHello>().size(), 1U);
  EXPECT_EQ(told<Disconnected>().size(), 1U);
  welcome(2);
  ASSERT_EQ(sent<Submit>().size(), 1U);
  EXPECT_EQ(ids_of(sent<Submit>()[0]), (std::vector<TaskId>{task_id(1), task_id(2)}));
}

TEST_F(SessionLink, NewEpochInAPongSaysHello) {
  connect();
  receive(Pong{RequestId(50), Epoch(2)});
  EXPECT_EQ(sent<ClientHello>().size(), 1U);
}

TEST_F(SessionLink, PulseOfAnOlderEpochIsIgnored) {
  start();
  welcome(5);
  pulse(4);
  EXPECT_TRUE(session.connected());
  EXPECT_TRUE(actions.sends.empty());
}

TEST_F(SessionLink, UnknownSessionSaysHelloAtOnceAndKeepsTheWork) {
  connect();
  submit({1});
  refuse(last_sent<Submit>().request, ErrorCode::unknown_session);
  ASSERT_EQ(sent<ClientHello>().size(), 1U);
  EXPECT_TRUE(told<SubmitResult>().empty());
  welcome();
  EXPECT_EQ(sent<Submit>().size(), 1U);
}

TEST_F(SessionLink, GoodbyeReconnectsLater) {
  connect();
  receive(BrokerGoodbye{"stopping"});
  EXPECT_FALSE(session.connected());
  ASSERT_EQ(told<Disconnected>().size(), 1U);
  EXPECT_NE(told<Disconnected>()[0].cause.find("stopping"), std::string::npos);
  EXPECT_FALSE(actions.reconnect);
  run_until(now + kSecond);
  EXPECT_TRUE(actions.reconnect);
}

TEST_F(SessionLink, WordsOnAConnectionThatIsGivenUpAreIgnored) {
  connect();
  submit({1});
  const Submit first = last_sent<Submit>();
  receive(BrokerGoodbye{"stopping"});
  answer(first, SubmitStatus::accepted);
  EXPECT_TRUE(told<SubmitResult>().empty());
}

TEST_F(SessionLink, RefusedHelloIsTold) {
  start();
  refuse(last_sent<ClientHello>().request, ErrorCode::unsupported);
  ASSERT_EQ(told<HelloRefused>().size(), 1U);
  EXPECT_EQ(told<HelloRefused>()[0].refused.code, ErrorCode::unsupported);
}

TEST_F(SessionLink, BusyHelloIsTriedAgainAfterThePause) {
  start();
  refuse(last_sent<ClientHello>().request, ErrorCode::busy, Duration::seconds(2));
  EXPECT_TRUE(told<HelloRefused>().empty());
  run_until(now + Duration::milliseconds(1'900));
  EXPECT_FALSE(actions.reconnect);
  run_until(now + kSecond);
  EXPECT_TRUE(actions.reconnect);
}

TEST_F(SessionLink, BackoffGrowsToItsMaximumAndStaysBelow) {
  start();
  for (int i = 0; i < 20; ++i) {
    refuse(last_sent<ClientHello>().request, ErrorCode::unsupported);
    const Time earliest = now;
    while (!actions.reconnect) {
      now = session.next_deadline();
      tick();
    }
    EXPECT_LE(now - earliest, kSecond);
  }
}

TEST_F(SessionLink, StopSaysGoodbyeAndEndsEverything) {
  connect();
  submit({1});
  actions.clear();
  session.stop(actions);
  EXPECT_EQ(sent<ClientGoodbye>().size(), 1U);
  EXPECT_EQ(session.next_deadline(), Time::never());
}

}  // namespace
}  // namespace millrace::client
