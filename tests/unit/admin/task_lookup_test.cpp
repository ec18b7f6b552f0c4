#include "broker/task_lookup.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <set>
#include <thread>

#include "common/wire/socket.h"
#include "tests/unit/admin/fake_router.h"

namespace millrace::broker {
namespace {

constexpr const char* kAddress = "inproc://task-lookup-test";
// Of calls that must succeed: only a failure takes so long.
constexpr Duration kGenerous = Duration::seconds(60);
// Of calls that must fail, however short it is.
constexpr Duration kShort = Duration::milliseconds(100);

RequestId request_of(const ClientMessage& message) {
  if (const auto* get = std::get_if<GetTasks>(&message)) return get->request;
  if (const auto* list = std::get_if<ListTasks>(&message)) return list->request;
  return RequestId();
}

TaskId id_of(std::uint64_t number) {
  Random random(number);
  return make_random_id<TaskId>(random);
}

GetTasks get_of(TaskId task) {
  GetTasks get;
  get.tasks = {task};
  return get;
}

// Says which list it is by its cursor.
wire::Frames list_of(RequestId request, std::uint64_t cursor) {
  TaskList list;
  list.request = request;
  list.next_cursor = cursor;
  return wire::encode(ClientReply(list));
}

wire::Frames refusal_of(RequestId request, ErrorCode code) {
  return wire::encode(ClientReply(Refused{request, code, "because", Duration()}));
}

FakeRouter::Replies silence(const ClientMessage&) {
  return {};
}

class TaskLookupTest : public ::testing::Test {
 protected:
  zmq::context_t context_ = wire::make_context();
};

// ---- what goes wrong ----------------------------------------------------------------------------

TEST_F(TaskLookupTest, NoAnswerIsUnavailable) {
  FakeRouter router(context_, kAddress, silence);
  TaskLookup lookup(context_, kAddress, kShort);
  const Result<TaskList> found = lookup.get(get_of(id_of(1)));
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, ErrorCode::unavailable);
}

TEST_F(TaskLookupTest, NobodyThereIsUnavailable) {
  TaskLookup inproc(context_, kAddress, kShort);
  EXPECT_EQ(inproc.list({}).error().code, ErrorCode::unavailable);
  TaskLookup tcp(context_, "tcp://127.0.0.1:1", kShort);
  EXPECT_EQ(tcp.list({}).error().code, ErrorCode::unavailable);
}

TEST_F(TaskLookupTest, AnUnusableAddressIsMisconfigured) {
  TaskLookup lookup(context_, "nonsense", kGenerous);
  EXPECT_EQ(lookup.get(get_of(id_of(1))).error().code, ErrorCode::misconfigured);
  EXPECT_EQ(lookup.get(get_of(id_of(1))).error().code, ErrorCode::misconfigured);
}

TEST_F(TaskLookupTest, ARefusalIsItsError) {
  FakeRouter router(context_, kAddress, [](const ClientMessage& message) {
    return FakeRouter::Replies{refusal_of(request_of(message), ErrorCode::shutting_down)};
  });
  TaskLookup lookup(context_, kAddress, kGenerous);
  const Result<TaskList> found = lookup.get(get_of(id_of(1)));
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error(), (Error{ErrorCode::shutting_down, "because"}));
}

TEST_F(TaskLookupTest, WhatIsNoAnswerIsPassedOver) {
  FakeRouter router(context_, kAddress, [](const ClientMessage& message) {
    const RequestId request = request_of(message);
    const SharedBytes junk = SharedBytes::copy_of("junk");
    return FakeRouter::Replies{
        {junk},
        {junk, junk, junk, junk, junk, junk},  // more frames than any message has
        refusal_of(RequestId(), ErrorCode::invalid),
        refusal_of(request.next(), ErrorCode::invalid),
        list_of(request.next(), 666),
        wire::encode(ClientReply(Pong{request, Epoch(1)})),
        wire::encode(ClientReply(BrokerGoodbye{"soon"})),
        list_of(request, 1),
    };
  });
  TaskLookup lookup(context_, kAddress, kGenerous);
  const Result<TaskList> found = lookup.list({});
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->next_cursor, 1U);
}

TEST_F(TaskLookupTest, ALateAnswerIsNotTakenForTheNext) {
  RequestId late;  // of the router's thread alone
  FakeRouter router(context_, kAddress, [&](const ClientMessage& message) {
    if (late.is_none()) {
      late = request_of(message);
      return FakeRouter::Replies{};
    }
    return FakeRouter::Replies{list_of(late, 1), list_of(request_of(message), 2)};
  });
  TaskLookup lookup(context_, kAddress, Duration::seconds(2));
  ASSERT_EQ(lookup.list({}).error().code, ErrorCode::unavailable);
  const Result<TaskList> found = lookup.list({});
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->next_cursor, 2U);
}

// The timeout covers the wait for the calls before: else a broker that stands still would hold the
// last of N callers N times as long, and the end of the program with it.
TEST_F(TaskLookupTest, WhoseTimeIsUpWhileWaitingDoesNotAsk) {
  constexpr std::size_t kCallers = 32;
  FakeRouter router(context_, kAddress, silence);
  TaskLookup lookup(context_, kAddress, kShort);
  std::latch start(kCallers);
  std::atomic<std::size_t> refused{0};
  std::vector<std::thread> callers;
  for (std::size_t i = 0; i < kCallers; ++i) {
    callers.emplace_back([&] {
      start.arrive_and_wait();
      const Result<TaskList> found = lookup.list({});
      if (!found.ok() && found.error().code == ErrorCode::unavailable) ++refused;
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(refused, kCallers);
  EXPECT_LT(router.asked().size(), kCallers);
}

// ---- what goes right ----------------------------------------------------------------------------

TEST_F(TaskLookupTest, RequestsArriveAsTheyAreUnderFreshIds) {
  FakeRouter router(context_, kAddress, [](const ClientMessage& message) {
    return FakeRouter::Replies{list_of(request_of(message), 0)};
  });
  TaskLookup lookup(context_, kAddress, kGenerous);
  GetTasks get = get_of(id_of(1));
  get.request = RequestId(77);
  get.with_result = true;
  get.with_attempts = true;
  ListTasks list;
  list.request = RequestId(77);
  list.filter = {"mail", TaskState::dead};
  list.cursor = 5;
  list.limit = 6;
  ASSERT_TRUE(lookup.get(get).ok());
  ASSERT_TRUE(lookup.list(list).ok());
  router.wait_for_requests(2);
  const std::vector<ClientMessage> asked = router.asked();
  EXPECT_NE(request_of(asked[0]), request_of(asked[1]));
  EXPECT_FALSE(request_of(asked[0]).is_none());
  const auto& got = std::get<GetTasks>(asked[0]);
  EXPECT_EQ(got.tasks, get.tasks);
  EXPECT_TRUE(got.with_result);
  EXPECT_TRUE(got.with_attempts);
  EXPECT_FALSE(got.with_payload);
  const auto& listed = std::get<ListTasks>(asked[1]);
  EXPECT_EQ(listed.filter, list.filter);
  EXPECT_EQ(listed.cursor, 5U);
  EXPECT_EQ(listed.limit, 6U);
}

TEST_F(TaskLookupTest, TheAnswerArrivesWhole) {
  const TaskId known = id_of(1);
  const std::string result(3 << 20, 'x');
  FakeRouter router(context_, kAddress, [&](const ClientMessage& message) {
    TaskList list;
    list.request = request_of(message);
    list.tasks.resize(1);
    list.tasks[0].id = known;
    list.tasks[0].sequence = TaskSequence(9);
    list.tasks[0].queue = "mail";
    list.tasks[0].state = TaskState::succeeded;
    list.tasks[0].result = SharedBytes::copy_of(result);
    list.unknown = {id_of(2)};
    return FakeRouter::Replies{wire::encode(ClientReply(list))};
  });
  TaskLookup lookup(context_, kAddress, kGenerous);
  const Result<TaskList> found = lookup.get(get_of(known));
  ASSERT_TRUE(found.ok()) << found.error().message;
  ASSERT_EQ(found->tasks.size(), 1U);
  EXPECT_EQ(found->tasks[0].id, known);
  EXPECT_EQ(found->tasks[0].queue, "mail");
  EXPECT_TRUE(found->tasks[0].result.text() == result);
  EXPECT_EQ(found->unknown, std::vector<TaskId>{id_of(2)});
}

TEST_F(TaskLookupTest, ConcurrentCallersGetTheirOwnAnswers) {
  FakeRouter router(context_, kAddress, [](const ClientMessage& message) {
    TaskList list;
    list.request = request_of(message);
    list.unknown = std::get<GetTasks>(message).tasks;
    return FakeRouter::Replies{wire::encode(ClientReply(list))};
  });
  TaskLookup lookup(context_, kAddress, kGenerous);
  std::atomic<int> right{0};
  std::vector<std::thread> callers;
  for (std::uint64_t caller = 0; caller < 16; ++caller) {
    callers.emplace_back([&, caller] {
      for (std::uint64_t round = 0; round < 20; ++round) {
        const TaskId task = id_of(caller * 100 + round);
        const Result<TaskList> found = lookup.get(get_of(task));
        if (found.ok() && found->unknown == std::vector<TaskId>{task}) ++right;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(right, 16 * 20);
  router.wait_for_requests(16 * 20);
  std::set<RequestId> ids;
  for (const ClientMessage& message : router.asked()) ids.insert(request_of(message));
  EXPECT_EQ(ids.size(), 16U * 20U);
}

TEST_F(TaskLookupTest, WaitsForATcpConnectionAndForABrokerThatComesLater) {
  std::string address;
  {
    Result<zmq::socket_t> probe = wire::bind_router(context_, "tcp://127.0.0.1:*", {});
    ASSERT_TRUE(probe.ok());
    address = "tcp://127.0.0.1:" + std::to_string(wire::port_of(*probe));
  }
  TaskLookup lookup(context_, address, kShort);
  ASSERT_EQ(lookup.list({}).error().code, ErrorCode::unavailable);
  FakeRouter router(context_, address, [](const ClientMessage& message) {
    return FakeRouter::Replies{list_of(request_of(message), 3)};
  });
  TaskLookup patient(context_, address, kGenerous);
  const Result<TaskList> found = patient.list({});
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->next_cursor, 3U);
}

}  // namespace
}  // namespace millrace::broker
