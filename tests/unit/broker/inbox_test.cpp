#include "broker/inbox.h"

#include "tests/unit/broker/shell_fixture.h"

namespace millrace::broker::test {
namespace {

class InboxTest : public ShellTest {
 protected:
  // In this process a message that was sent has arrived.
  InboxTest() : client_(*wire::connect_dealer(context_, kInprocClients, {})) {}

  // How many of five such messages a turn takes.
  std::size_t taken_of_five(const ClientMessage& message) {
    for (int sent = 0; sent < 5; ++sent) say(client_, message);
    std::vector<Event> events;
    Effects effects;
    inbox_.drain_clients(events, effects);
    return events.size();
  }

  zmq::socket_t client_;
  PeerDirectory peers_{config_.unsent};
  Inbox inbox_{sockets_, peers_, nullptr, PeerLimits()};
};

TEST_F(InboxTest, ATurnTakesFewChangesOfTasksThatAreNotNamed) {
  EXPECT_EQ(taken_of_five(ControlQueue{RequestId(1), "mail", QueueAction::purge}), 2U);
}

TEST_F(InboxTest, ATurnTakesFewRequeuesOfWholeQueues) {
  EXPECT_EQ(taken_of_five(RequeueDead{RequestId(1), {}, "mail"}), 2U);
}

TEST_F(InboxTest, ATurnTakesFewPurgesOfWholeQueues) {
  EXPECT_EQ(taken_of_five(PurgeDead{RequestId(1), {}, ""}), 2U);
}

TEST_F(InboxTest, ATurnTakesFewStepsOfAChange) {
  EXPECT_EQ(taken_of_five(ChangeTasks{}), 0U) << "a change without a request id is refused";
  ChangeTasks change;
  change.request = RequestId(1);
  EXPECT_EQ(taken_of_five(change), 2U);
}

TEST_F(InboxTest, WhatTouchesLittleIsTakenAtOnce) {
  EXPECT_EQ(taken_of_five(ControlQueue{RequestId(1), "mail", QueueAction::pause}), 5U);
}

}  // namespace
}  // namespace millrace::broker::test
