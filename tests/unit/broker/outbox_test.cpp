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
  BrokerSockets sockets = *bind_broker_sockets(context, config, nullptr);
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
