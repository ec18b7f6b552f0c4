<<<<<<< HEAD
#include "broker/outbox.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "broker/store/memory_store.h"
#include "common/wire/socket.h"

namespace millrace::broker {
namespace {

constexpr std::size_t kReplyBytes = std::size_t{1} << 20;
constexpr ByteCount kUnsentMost = ByteCount::mebibytes(8);
constexpr ByteCount kUnsentTotalMost = ByteCount::mebibytes(12);
constexpr ByteCount kUnsentLeast = ByteCount::mebibytes(2);
// What the kernel and libzmq's own buffers hold of one connection, at most.
constexpr std::size_t kBuffersMost = 16;

bool eventually(const std::function<bool()>& step) {
  for (int i = 0; i < 1'000; ++i) {
    if (step()) return true;
    wire::poll_items(nullptr, 0, Duration::milliseconds(10));
  }
  return false;
}

BrokerConfig config_of_the_test() {
  BrokerConfig config;
  config.client_port = config.worker_port = config.beat_port = config.pulse_port = 0;
  config.unsent = {kUnsentMost, kUnsentTotalMost, kUnsentLeast};
  return config;
}

// An outbox over real sockets, and clients that read only when told.
class OutboxTest : public ::testing::Test {
 protected:
  struct Client {
    zmq::socket_t socket;
    PeerId peer;
  };

  Client connect() {
    wire::SocketOptions options;
    options.linger = Duration();
    options.receive_messages_max = 1;
    const std::string port = std::to_string(sockets.endpoints.client_port);
    Client client{*wire::connect_dealer(context, "tcp://127.0.0.1:" + port, options), PeerId()};
    EXPECT_TRUE(eventually([&] {
      return wire::send_frames(client.socket, {SharedBytes::copy_of("hello")}) ==
             wire::SendStatus::sent;
    }));
    wire::Frames frames;
    EXPECT_TRUE(eventually([&] {
      return wire::receive_frames(sockets.clients, frames) == wire::ReceiveStatus::received;
    }));
    client.peer = peers.intern(PeerKind::client, frames.front().text());
    return client;
  }

  // Says `count` large things to a client; how many were dropped.
  std::uint64_t tell(const Client& client, std::size_t count) {
    const std::uint64_t before = outbox.sends_dropped();
    for (std::size_t i = 0; i < count; ++i) {
      Effects effects;
      effects.sends.push_back(
          ToClient{client.peer, StatusReport{RequestId(1), std::string(kReplyBytes, 'x')}});
      outbox.hold(BatchNumber(), effects, ByteCount());
      std::vector<Event> undelivered;
      outbox.release(BatchNumber(), undelivered);
    }
    return outbox.sends_dropped() - before;
  }

  bool hears(Client& client) {
    wire::Frames frames;
    return eventually([&] {
      return wire::receive_frames(client.socket, frames) == wire::ReceiveStatus::received;
    });
  }

  zmq::context_t context = wire::make_context();
  BrokerConfig config = config_of_the_test();
  BrokerSockets sockets = *bind_broker_sockets(context, config);
  PeerDirectory peers{config.unsent};
  MemoryStore store;
  StatusBoard status{"test", Time()};
  Outbox outbox{sockets, peers, store, status, config};
};

TEST_F(OutboxTest, AClientThatReadsGetsEverything) {
  Client client = connect();
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(tell(client, 1), 0U);
    EXPECT_TRUE(hears(client));
  }
}

TEST_F(OutboxTest, AClientThatDoesNotReadIsGivenSoManyBytesAndThenNothing) {
  Client deaf = connect();
  constexpr std::size_t kTold = 100;
  const std::uint64_t dropped = tell(deaf, kTold);
  EXPECT_GE(dropped, kTold - kUnsentMost.value / kReplyBytes - kBuffersMost);
  EXPECT_LE(dropped, kTold - kUnsentMost.value / kReplyBytes);
}

TEST_F(OutboxTest, AClientThatReadsAgainIsGivenMore) {
  Client deaf = connect();
  EXPECT_GT(tell(deaf, 100), 0U);
  EXPECT_TRUE(eventually([&] {
    wire::Frames frames;
    wire::receive_frames(deaf.socket, frames);
    return tell(deaf, 1) == 0;
  }));
}

TEST_F(OutboxTest, ManyThatDoNotReadLeaveEnoughForThoseWhoDo) {
  std::vector<Client> deaf;
  for (int i = 0; i < 8; ++i) deaf.push_back(connect());
  for (Client& client : deaf) EXPECT_GT(tell(client, 100), 0U);
  // All is spent, but for what still trickles into buffers.
  for (Client& client : deaf) EXPECT_TRUE(eventually([&] { return tell(client, 10) == 10; }));
  Client reader = connect();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(tell(reader, 1), 0U);
    EXPECT_TRUE(hears(reader));
  }
}

}  // namespace
}  // namespace millrace::broker
=======
// What leaves when, what the store fills in, and what comes back when nobody takes it.
#include "broker/outbox.h"

#include "broker/store/memory_store.h"
#include "tests/unit/broker/shell_fixture.h"

namespace millrace::broker::test {
namespace {

constexpr TaskSequence kTask(7);

class OutboxTest : public ShellTest {
 protected:
  OutboxTest() : status_("test", Time()), outbox_(sockets_, peers_, store_, status_, config_) {}

  // A client that the broker's side has heard.
  std::pair<PeerId, zmq::socket_t> greeted_client() {
    zmq::socket_t client = connect_client();
    // Until the connection stands, the socket takes nothing.
    zmq::pollitem_t item{client.handle(), 0, ZMQ_POLLOUT, 0};
    EXPECT_EQ(wire::poll_items(&item, 1, kPatience), 1);
    say(client, Ping{RequestId(1)});
    const wire::Frames frames = receive(sockets_.clients);
    return {peers_.intern(PeerKind::client, frames.at(0).text()), std::move(client)};
  }
  PeerId nobody(PeerKind kind) { return peers_.intern(kind, "nobody has this routing id"); }

  std::vector<Event> release(Send send, BatchNumber batch = BatchNumber(1)) {
    Effects effects;
    effects.sends.push_back(std::move(send));
    outbox_.hold(batch, effects, ByteCount());
    std::vector<Event> undelivered;
    outbox_.release(batch, undelivered);
    return undelivered;
  }
  static DispatchToWorker dispatch_to(PeerId peer) {
    DispatchToWorker dispatch{peer, {}};
    DispatchToWorker::Item item;
    item.sequence = kTask;
    item.task.fence = Fence(3);
    dispatch.items.push_back(item);
    return dispatch;
  }
  void store(Write write) {
    store_.submit({std::move(write)});
    store_.commit_all();
  }

  PeerDirectory peers_;
  MemoryStore store_;
  StatusBoard status_;
  Outbox outbox_;
};

TEST_F(OutboxTest, NothingLeavesBeforeItsBatchIsDurable) {
  auto [peer, client] = greeted_client();
  for (const std::uint64_t batch : {1, 2, 3}) {
    Effects effects;
    effects.sends.push_back(ToClient{peer, Pong{RequestId(batch), Epoch(1)}});
    outbox_.hold(BatchNumber(batch), effects, ByteCount(10));
  }
  std::vector<Event> undelivered;
  outbox_.release(BatchNumber(), undelivered);
  EXPECT_EQ(outbox_.held_write_bytes(), ByteCount(30));
  outbox_.release(BatchNumber(2), undelivered);
  EXPECT_EQ(outbox_.held_write_bytes(), ByteCount(10));
  EXPECT_EQ(next_reply<Pong>(client).request, RequestId(1));
  EXPECT_EQ(next_reply<Pong>(client).request, RequestId(2));
  EXPECT_FALSE(outbox_.empty());
  outbox_.release(BatchNumber(3), undelivered);
  EXPECT_EQ(next_reply<Pong>(client).request, RequestId(3));
  EXPECT_TRUE(outbox_.empty());
}

TEST_F(OutboxTest, ADispatchThatNobodyTakesComesBackWithItsLeases) {
  store(PutSpec{kTask, SharedBytes::copy_of("a spec")});
  const PeerId peer = nobody(PeerKind::worker);
  const std::vector<Event> events = release(dispatch_to(peer));
  ASSERT_EQ(events.size(), 1U);
  const auto* event = std::get_if<DispatchUndeliverable>(&events[0]);
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(event->peer, peer);
  ASSERT_EQ(event->leases.size(), 1U);
  EXPECT_EQ(event->leases[0].fence, Fence(3));
  EXPECT_EQ(outbox_.sends_dropped(), 1U);
}

TEST_F(OutboxTest, AnyMessageThatNobodyTakesIsCounted) {
  const std::vector<Event> of_worker = release(ToWorker{nobody(PeerKind::worker), Drain{}});
  ASSERT_EQ(of_worker.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<WorkerUnreachable>(of_worker[0]));
  EXPECT_EQ(outbox_.sends_dropped(), 1U);
  EXPECT_TRUE(release(ToClient{nobody(PeerKind::client), Pong{}}).empty());
  EXPECT_EQ(outbox_.sends_dropped(), 2U);
  EXPECT_TRUE(release(ToClient{PeerId(999), Pong{}}).empty());
  EXPECT_EQ(outbox_.sends_dropped(), 3U);
}

TEST_F(OutboxTest, APayloadThatCannotBeReadIsNotSent) {
  const std::vector<Event> events = release(dispatch_to(nobody(PeerKind::worker)));
  ASSERT_EQ(events.size(), 1U);
  const auto* event = std::get_if<SpecUnreadable>(&events[0]);
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(event->fence, Fence(3));
  EXPECT_EQ(outbox_.sends_dropped(), 0U);
}

TEST_F(OutboxTest, AnEndIsToldWithItsStoredResult) {
  auto [peer, client] = greeted_client();
  store(PutResult{kTask, SharedBytes::copy_of("the result")});
  FinishedToClient finished{peer, {}};
  FinishedToClient::Item item;
  item.sequence = kTask;
  item.read_result = true;
  finished.items.push_back(item);
  EXPECT_TRUE(release(finished).empty());
  const Finished told = next_reply<Finished>(client);
  ASSERT_EQ(told.tasks.size(), 1U);
  EXPECT_EQ(told.tasks[0].result, SharedBytes::copy_of("the result"));
}

TEST_F(OutboxTest, AnEndIsToldWithItsLastError) {
  auto [peer, client] = greeted_client();
  AttemptRecord attempt;
  attempt.attempt = 2;
  attempt.error = "the last error";
  store(PutAttempt{kTask, 2, attempt});
  FinishedToClient finished{peer, {}};
  FinishedToClient::Item item;
  item.sequence = kTask;
  item.task.state = TaskState::dead;
  item.read_error = true;
  item.attempt_records = 2;
  finished.items.push_back(item);
  EXPECT_TRUE(release(finished).empty());
  const Finished told = next_reply<Finished>(client);
  ASSERT_EQ(told.tasks.size(), 1U);
  EXPECT_EQ(told.tasks[0].error, "the last error");
}

}  // namespace
}  // namespace millrace::broker::test
>>>>>>> 767a713 (Mutants: faults seeded into the real code, one at a time, and what finds each; tests of the outbox, the loop, the synced commit and the set clock)
