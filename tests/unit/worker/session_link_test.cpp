// Hello, welcome, loss and return of the broker.
#include <set>

#include "tests/unit/worker/session_fixture.h"

namespace millrace::worker {
namespace {

class SessionLinkTest : public SessionTest {};

TEST_F(SessionLinkTest, FirstTickSaysHelloWithWhatItIs) {
  tick();
  const auto hellos = sent<WorkerHello>();
  ASSERT_EQ(actions_.sends.size(), 1U);
  ASSERT_EQ(hellos.size(), 1U);
  EXPECT_EQ(hellos[0].hello_number, 1U);
  EXPECT_EQ(hellos[0].name, "bench-3");
  EXPECT_EQ(hellos[0].queues, (std::vector<std::string>{"mail", "video"}));
  EXPECT_EQ(hellos[0].slots, 2U);
  EXPECT_EQ(hellos[0].credit, 2U);
  EXPECT_TRUE(hellos[0].holding.empty());
  EXPECT_FALSE(actions_.reconnect);
  EXPECT_TRUE(actions_.beats.empty());
}

TEST_F(SessionLinkTest, RepeatsHelloWithANewNumberUntilWelcomed) {
  tick();
  pass(kMillisecond * 999);
  tick();
  EXPECT_TRUE(actions_.sends.empty());
  pass(kMillisecond * 301);  // the timeout and the first two backoffs at most
  tick();
  ASSERT_EQ(sent<WorkerHello>().size(), 1U);
  EXPECT_EQ(sent<WorkerHello>()[0].hello_number, 2U);
}

TEST_F(SessionLinkTest, WelcomeOfAnOlderHelloIsIgnored) {
  tick();
  pass(kSecond * 2);
  tick();
  ASSERT_EQ(sent<WorkerHello>()[0].hello_number, 2U);
  receive(welcome(1));
  EXPECT_FALSE(session_.open());
  receive(welcome(2));
  EXPECT_TRUE(session_.open());
  ASSERT_TRUE(actions_.welcomed.has_value());
  EXPECT_EQ(actions_.welcomed->endpoints.pulse_port, 5558);
}

TEST_F(SessionLinkTest, DispatchBeforeTheWelcomeIsDiscarded) {
  tick();
  dispatch({task(1)});
  EXPECT_TRUE(actions_.starts.empty());
  EXPECT_EQ(session_.waiting() + session_.running(), 0U);
}

TEST_F(SessionLinkTest, BeatsWithTheSessionNonceAtTheInterval) {
  tick();
  receive(welcome(1));
  tick();
  ASSERT_EQ(actions_.beats.size(), 1U);
  EXPECT_EQ(actions_.beats[0].session, SessionNonce(4'001));
  pass(kMillisecond * 999);
  tick();
  EXPECT_TRUE(actions_.beats.empty());
  pass(kMillisecond);
  tick();
  ASSERT_EQ(actions_.beats.size(), 1U);
  EXPECT_EQ(actions_.beats[0].number, 2U);
}

TEST_F(SessionLinkTest, NewEpochInAPulseSaysHelloAtOnceOnTheSameSocketAndKeepsRunning) {
  open();
  dispatch({task(1), task(2), task(3)});
  ASSERT_EQ(actions_.starts.size(), 2U);
  pulse(1);
  tick();
  EXPECT_TRUE(sent<WorkerHello>().empty());
  pulse(2);
  EXPECT_EQ(actions_.lost, "the broker has restarted");
  tick();
  ASSERT_EQ(sent<WorkerHello>().size(), 1U);
  EXPECT_FALSE(actions_.reconnect);
  EXPECT_EQ(sent<WorkerHello>()[0].holding, (std::vector<HeldLease>{lease(1), lease(2), lease(3)}));
  EXPECT_TRUE(actions_.stops.empty());
  EXPECT_EQ(session_.running(), 2U);
}

TEST_F(SessionLinkTest, ASmallerEpochIsANewBrokerToo) {
  tick();
  receive(welcome(1, 5));
  pulse(1);
  tick();
  EXPECT_EQ(sent<WorkerHello>().size(), 1U);
}

TEST_F(SessionLinkTest, UnknownSessionSaysHelloOnceForManyRefusals) {
  open();
  receive(Refused{RequestId(), ErrorCode::unknown_session, "say hello", Duration()});
  tick();
  ASSERT_EQ(sent<WorkerHello>().size(), 1U);
  receive(Refused{RequestId(), ErrorCode::unknown_session, "say hello", Duration()});
  tick();
  EXPECT_TRUE(sent<WorkerHello>().empty());
}

TEST_F(SessionLinkTest, SilenceReconnectsAndPulsesAloneKeepASessionAlive) {
  open();
  for (int i = 0; i < 10; ++i) {
    pass(kSecond);
    pulse(1);
    tick();
    EXPECT_TRUE(session_.open());
  }
  pass(kSecond * 3);
  tick();
  EXPECT_TRUE(session_.open()) << "silence_max itself is not yet silence";
  pass(kMillisecond);
  tick();
  EXPECT_FALSE(session_.open());
  EXPECT_EQ(actions_.lost, "the broker is silent");
  pass(kMillisecond * 100);  // the first backoff at most
  tick();
  EXPECT_TRUE(actions_.reconnect);
  EXPECT_EQ(sent<WorkerHello>().size(), 1U);
}

TEST_F(SessionLinkTest, PulsesDoNotHideADeadDealer) {
  open();
  pulse(2);
  bool reconnected = false;
  for (int i = 0; i < 60 && !reconnected; ++i) {
    tick();
    reconnected = actions_.reconnect;
    pass(kMillisecond * 100);
    pulse(2);
  }
  EXPECT_TRUE(reconnected);
}

TEST_F(SessionLinkTest, UnansweredCompletionsOverFlowingPulsesMakeItSayHelloAgain) {
  open();
  dispatch({task(1)});
  finish(lease(1));
  tick();
  bool hello = false;
  for (int i = 0; i < 10 && !hello; ++i) {
    pass(kSecond);
    pulse(1);
    tick();
    hello = !sent<WorkerHello>().empty();
  }
  EXPECT_TRUE(hello);
}

TEST_F(SessionLinkTest, GoodbyeOfTheBrokerIsFollowedByAHelloAfterABackoff) {
  open();
  dispatch({task(1)});
  receive(BrokerGoodbye{"restart"});
  EXPECT_EQ(actions_.lost, "the broker says goodbye");
  EXPECT_TRUE(actions_.stops.empty());
  pass(kMillisecond * 100);
  tick();
  ASSERT_EQ(sent<WorkerHello>().size(), 1U);
  EXPECT_EQ(sent<WorkerHello>()[0].holding.size(), 1U);
}

TEST_F(SessionLinkTest, ARefusedHelloWaitsAsLongAsTheBrokerAsks) {
  tick();
  receive(Refused{RequestId(), ErrorCode::busy, "too many workers", kSecond * 10});
  pass(kMillisecond * 9'999);
  tick();
  EXPECT_TRUE(actions_.sends.empty());
  pass(kSecond);
  tick();
  EXPECT_EQ(sent<WorkerHello>().size(), 1U);
  EXPECT_FALSE(actions_.failure.has_value());
}

TEST_F(SessionLinkTest, UnsupportedIsTheEndWithTheBrokersWords) {
  tick();
  receive(Refused{RequestId(), ErrorCode::unsupported, "protocol version 9", Duration()});
  ASSERT_TRUE(actions_.failure.has_value());
  EXPECT_EQ(actions_.failure->code, ErrorCode::unsupported);
  EXPECT_NE(actions_.failure->message.find("protocol version 9"), std::string::npos);
  pass(kSecond * 5);
  tick();
  EXPECT_TRUE(actions_.sends.empty());
  EXPECT_EQ(session_.next_deadline(), Time::never());
}

TEST_F(SessionLinkTest, EveryRefusalCodeIsSurvivedOrReported) {
  const std::set<ErrorCode> finals = {ErrorCode::invalid, ErrorCode::too_large,
                                      ErrorCode::unsupported, ErrorCode::forbidden};
  for (std::uint8_t code = 0; code < 20; ++code) {
    Session session(settings_for(1), Random(code));
    Actions actions;
    session.start(now_, actions);
    session.receive(Refused{RequestId(), ErrorCode{code}, "no", Duration::nanoseconds(-5)}, now_,
                    actions);
    EXPECT_EQ(actions.failure.has_value(), finals.contains(ErrorCode{code})) << int{code};
  }
}

TEST_F(SessionLinkTest, ConnectionLostSaysHelloSoonerThanSilence) {
  open();
  actions_.clear();
  session_.connection_lost(now_, actions_);
  EXPECT_EQ(actions_.lost, "the connection broke");
  pass(kMillisecond * 100);
  tick();
  EXPECT_EQ(sent<WorkerHello>().size(), 1U);
  EXPECT_FALSE(actions_.reconnect);
}

TEST_F(SessionLinkTest, StaleLeasesOfAWelcomeAreStoppedOrForgotten) {
  open();
  dispatch({task(1), task(2), task(3)});
  finish(lease(1));
  ASSERT_EQ(started(), std::vector<HeldLease>{lease(3)});
  dispatch({task(4)});
  pulse(2);
  tick();
  WorkerWelcome message = welcome(sent<WorkerHello>()[0].hello_number, 2);
  message.stale = {lease(1), lease(2), lease(4)};  // finished, running, waiting
  receive(message);
  ASSERT_EQ(actions_.stops.size(), 1U);
  EXPECT_EQ(actions_.stops[0].task, lease(2).task);
  EXPECT_EQ(actions_.stops[0].cause, StopCause::stale_lease);
  EXPECT_EQ(session_.waiting(), 0U);
  EXPECT_EQ(session_.unacknowledged(), 0U);
  finish(lease(2));
  EXPECT_TRUE(completions().empty());
}

}  // namespace
}  // namespace millrace::worker
