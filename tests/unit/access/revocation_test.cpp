// What the core does about keys: a worker is bound to its own, a revoked peer counts for nothing,
// and tasks of queues out of scope do not exist.
#include <gtest/gtest.h>

#include "broker/core/broker_core.h"
#include "tests/unit/core/fixtures.h"

namespace millrace::broker::test {
namespace {

const PeerId kClient(1);
const PeerId kWorker(2);
const PeerId kOther(3);
const KeyNumber kKey(5);
const KeyNumber kOtherKey(6);

class RevocationTest : public testing::Test {
 protected:
  RevocationTest() : core_(CoreSettings(), Random(1)) { turn({}); }

  // One turn; its effects in effects_.
  void turn(std::vector<Event> events) {
    effects_.clear();
    for (Event& event : events) core_.step(std::move(event), now_, effects_);
    core_.tick(now_, effects_);
    const auto broken = Invariants::check(core_);
    EXPECT_FALSE(broken.has_value()) << *broken;
  }
  void submit(std::uint64_t number, const std::string& queue) {
    Submit message;
    message.tasks.emplace_back();
    message.tasks.back().spec.id = id_of(1, number);
    message.tasks.back().spec.queue = queue;
    turn({FromClient{kClient, std::move(message)}});
  }
  WorkerHello hello(std::uint64_t number) const {
    WorkerHello hello;
    hello.hello_number = number;
    hello.worker.bytes[0] = 1;
    hello.queues = {"mail"};
    hello.slots = hello.credit = 1;
    return hello;
  }
  // Of the first attempt of the first task.
  static Complete completion() {
    Complete message;
    message.items.emplace_back();
    message.items.back().task = id_of(1, 1);
    message.items.back().fence = Fence(1);
    return message;
  }
  static ListTasks list(std::uint64_t request) {
    ListTasks message;
    message.request = RequestId(request);
    return message;
  }
  void start_worker_with_task() {
    submit(1, "mail");
    turn({FromWorker{kWorker, hello(1), kKey}});
    for (const Send& send : effects_.sends) {
      const auto* to = std::get_if<ToWorker>(&send);
      if (to == nullptr) continue;
      if (const auto* welcome = std::get_if<WorkerWelcome>(&to->reply)) session_ = welcome->session;
    }
    ASSERT_EQ(count(TaskState::in_progress), 1U);
  }
  std::uint64_t count(TaskState state) const {
    return core_.status(now_).tasks_by_state[index_of(state)];
  }
  // Sends of the turn that go to this peer.
  std::size_t sends_to(PeerId peer) const {
    std::size_t found = 0;
    for (const Send& send : effects_.sends) {
      found += std::visit(
          [&](const auto& typed) -> std::size_t {
            if constexpr (requires { typed.peer; }) return typed.peer == peer ? 1 : 0;
            return 1;
          },
          send);
    }
    return found;
  }
  template <class Reply>
  Reply answer() const {
    for (const Send& send : effects_.sends) {
      const auto* to = std::get_if<ToClient>(&send);
      if (to == nullptr) continue;
      if (const auto* reply = std::get_if<Reply>(&to->reply)) return *reply;
    }
    ADD_FAILURE() << "no such answer";
    return Reply();
  }

  BrokerCore core_;
  Effects effects_;
  SessionNonce session_;
  Time now_ = at_seconds(1);
};

TEST_F(RevocationTest, ARevokedWorkerLosesItsLeasesAndHearsNothing) {
  start_worker_with_task();
  turn({PeerRevoked{kWorker}});
  EXPECT_EQ(count(TaskState::in_progress), 0U);
  EXPECT_EQ(count(TaskState::pending), 1U) << "tried again, as after a worker's death";
  EXPECT_EQ(core_.status(now_).totals.lease_losses, 1U);
  EXPECT_TRUE(core_.status(now_).workers.empty());
  EXPECT_EQ(sends_to(kWorker), 0U);
  turn({BeatHeard{{hello(1).worker, session_}, kOtherKey}});
  EXPECT_EQ(sends_to(kWorker), 0U) << "not even that it should say hello";
}

TEST_F(RevocationTest, ARevokedClientIsToldOfNoEnd) {
  start_worker_with_task();
  turn({FromClient{kClient, Watch{RequestId(1), {id_of(1, 1)}}}});
  EXPECT_EQ(core_.status(now_).watches, 1U);
  turn({PeerRevoked{kClient}});
  EXPECT_EQ(core_.status(now_).watches, 0U);
  EXPECT_EQ(core_.status(now_).clients, 0U);
  turn({FromClient{kOther, Cancel{RequestId(1), {id_of(1, 1)}}}});
  EXPECT_EQ(sends_to(kClient), 0U);
}

TEST_F(RevocationTest, ARevokedPeerThatNobodyKnowsChangesNothing) {
  start_worker_with_task();
  turn({PeerRevoked{PeerId(99)}});
  EXPECT_EQ(count(TaskState::in_progress), 1U);
  EXPECT_TRUE(effects_.sends.empty());
}

TEST_F(RevocationTest, AWorkerIdOfAnotherKeyIsNotTakenOver) {
  start_worker_with_task();
  WorkerHello thief = hello(2);
  thief.holding = {{id_of(1, 1), Fence(1)}};
  turn({FromWorker{kOther, thief, kOtherKey}});
  ASSERT_EQ(effects_.sends.size(), 1U);
  const auto& sent = std::get<ToWorker>(effects_.sends[0]);
  EXPECT_EQ(sent.peer, kOther);
  EXPECT_EQ(std::get<Refused>(sent.reply).code, ErrorCode::forbidden);
  // The thief knows task and fence, but no session.
  turn({FromWorker{kOther, completion(), kOtherKey}});
  EXPECT_EQ(count(TaskState::in_progress), 1U);
  turn({FromWorker{kWorker, completion(), kKey}});
  EXPECT_EQ(count(TaskState::succeeded), 1U);
}

TEST_F(RevocationTest, TheFirstOfTwoHellosOfOneTurnOwnsTheWorkerId) {
  WorkerHello second = hello(2);
  turn({FromWorker{kWorker, hello(1), kKey}, FromWorker{kOther, second, kOtherKey}});
  ASSERT_EQ(core_.status(now_).workers.size(), 1U);
  EXPECT_EQ(std::get<Refused>(std::get<ToWorker>(effects_.sends[1]).reply).code,
            ErrorCode::forbidden);
}

TEST_F(RevocationTest, ABeatUnderAnotherKeyProvesNoLife) {
  start_worker_with_task();
  now_ = now_ + Duration::milliseconds(900);
  turn({BeatHeard{{hello(1).worker, session_}, kOtherKey}});
  EXPECT_EQ(core_.status(now_).counters.unknown_beats, 1U);
  EXPECT_EQ(core_.status(now_).workers.at(0).last_heard_age, Duration::milliseconds(900));
  turn({BeatHeard{{hello(1).worker, session_}, kKey}});
  EXPECT_EQ(core_.status(now_).workers.at(0).last_heard_age, Duration());
}

TEST_F(RevocationTest, TasksOutOfScopeDoNotExistForAClient) {
  submit(1, "mail");
  submit(2, "pay");
  const QueueScope scope({"mail"});
  const std::vector<TaskId> both = {id_of(1, 1), id_of(1, 2)};

  turn({FromClient{kOther, Watch{RequestId(1), both}, &scope}});
  EXPECT_EQ(answer<Watching>().unknown, (std::vector{id_of(1, 2)}));

  turn({FromClient{kOther, GetTasks{RequestId(2), both}, &scope}});
  const auto& got = std::get<TaskListToClient>(effects_.sends.at(0)).list;
  ASSERT_EQ(got.tasks.size(), 1U);
  EXPECT_EQ(got.tasks[0].id, id_of(1, 1));
  EXPECT_EQ(got.unknown, (std::vector{id_of(1, 2)}));

  turn({FromClient{kOther, list(3), &scope}});
  EXPECT_EQ(std::get<TaskListToClient>(effects_.sends.at(0)).list.tasks.size(), 1U);
  ListTasks of_pay = list(4);
  of_pay.filter.queue = "pay";
  turn({FromClient{kOther, of_pay, &scope}});
  EXPECT_TRUE(std::get<TaskListToClient>(effects_.sends.at(0)).list.tasks.empty());

  turn({FromClient{kOther, Cancel{RequestId(5), both}, &scope}});
  const auto cancelled = answer<Cancelled>();
  EXPECT_EQ(cancelled.items[0].status, CancelStatus::cancelled);
  EXPECT_EQ(cancelled.items[1].status, CancelStatus::not_found);
  EXPECT_EQ(count(TaskState::cancelled), 1U);
  EXPECT_EQ(count(TaskState::pending), 1U);
}

TEST_F(RevocationTest, AScopeEndsWithItsMessage) {
  submit(1, "pay");
  const QueueScope scope({"mail"});
  turn({FromClient{kOther, list(1), &scope}, FromClient{kClient, list(2)}});
  EXPECT_EQ(std::get<TaskListToClient>(effects_.sends.at(0)).list.tasks.size(), 0U);
  EXPECT_EQ(std::get<TaskListToClient>(effects_.sends.at(1)).list.tasks.size(), 1U);
}

}  // namespace
}  // namespace millrace::broker::test
