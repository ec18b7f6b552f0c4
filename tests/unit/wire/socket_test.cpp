#include "common/wire/socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace millrace::wire {
namespace {

using ::testing::HasSubstr;

const char* const kLoopback = "tcp://127.0.0.1:*";

SharedBytes bytes(const std::string& text) {
  return SharedBytes::copy_of(text);
}

// Tries `step` until it is true or ten seconds have passed.
bool eventually(const std::function<bool()>& step) {
  for (int i = 0; i < 1'000; ++i) {
    if (step()) return true;
    poll_items(nullptr, 0, Duration::milliseconds(10));
  }
  return false;
}

bool receive(zmq::socket_t& socket, Frames& frames) {
  return eventually([&] { return receive_frames(socket, frames) == ReceiveStatus::received; });
}

bool send(zmq::socket_t& socket, const Frames& frames) {
  return eventually([&] { return send_frames(socket, frames) == SendStatus::sent; });
}

std::string address_of(zmq::socket_t& socket) {
  return "tcp://127.0.0.1:" + std::to_string(port_of(socket));
}

class SocketTest : public ::testing::Test {
 protected:
  SocketTest() { options.linger = Duration(); }

  zmq::socket_t open(const Result<zmq::socket_t>& opened) {
    EXPECT_TRUE(opened.ok());
    return std::move(const_cast<Result<zmq::socket_t>&>(opened)).value();
  }

  zmq::context_t context = make_context();
  SocketOptions options;
};

TEST_F(SocketTest, BadAddressesAreErrorsThatNameThem) {
  for (const char* address : {"", "nonsense", "tcp://", "tcp://127.0.0.1:99999", "udp2://a:1"}) {
    const Result<zmq::socket_t> bound = bind_router(context, address, options);
    ASSERT_FALSE(bound.ok()) << address;
    EXPECT_EQ(bound.error().code, ErrorCode::misconfigured);
    EXPECT_THAT(bound.error().message, HasSubstr(address));
  }
  EXPECT_FALSE(connect_dealer(context, "nonsense", options).ok());
  for (const char* address : {"tcp://127.0.0.1:65536", "tcp://127.0.0.1:80x"}) {
    const Result<zmq::socket_t> connected = connect_dealer(context, address, options);
    ASSERT_FALSE(connected.ok()) << address;
    EXPECT_THAT(connected.error().message, HasSubstr("bad port"));
  }
}

// A machine without IPv6 has no ::1 to listen on.
TEST_F(SocketTest, AddressesOfIPv6) {
  Result<zmq::socket_t> bound = bind_router(context, "tcp://[::1]:*", options);
  if (!bound.ok()) GTEST_SKIP() << bound.error().message;
  zmq::socket_t router = *std::move(bound);
  const std::string address = "tcp://[::1]:" + std::to_string(port_of(router));
  zmq::socket_t dealer = open(connect_dealer(context, address, options));
  ASSERT_TRUE(send(dealer, {bytes("hello")}));
  Frames received;
  ASSERT_TRUE(receive(router, received));
}

TEST_F(SocketTest, SocketWithoutAnAddressHasNoPort) {
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  EXPECT_EQ(port_of(socket), 0);
}

TEST_F(SocketTest, NothingGoesOrComesAfterTheEndOfTheContext) {
  zmq::socket_t router = open(bind_router(context, kLoopback, options));
  zmq::socket_t dealer = open(connect_dealer(context, address_of(router), options));
  context.shutdown();
  EXPECT_EQ(send_frames(dealer, {bytes("late")}), SendStatus::unreachable);
  EXPECT_EQ(send_frames_to(router, "peer", {bytes("late")}), SendStatus::unreachable);
  Frames received;
  EXPECT_EQ(receive_frames(router, received), ReceiveStatus::nothing);
}

TEST_F(SocketTest, PortInUseIsAnError) {
  zmq::socket_t first = open(bind_router(context, kLoopback, options));
  const Result<zmq::socket_t> second = bind_router(context, address_of(first), options);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message, HasSubstr("in use"));
}

TEST_F(SocketTest, MessagesOfAllSizesGoBothWays) {
  zmq::socket_t router = open(bind_router(context, kLoopback, options));
  zmq::socket_t dealer = open(connect_dealer(context, address_of(router), options));
  for (const std::size_t size : {0U, 1U, 33U, 4'095U, 4'096U, 9'000U, 3'000'000U}) {
    const Frames sent = {bytes("control"), bytes(std::string(size, 'x'))};
    ASSERT_TRUE(send(dealer, sent));
    Frames received;
    ASSERT_TRUE(receive(router, received)) << size;
    ASSERT_EQ(received.size(), 3U);
    EXPECT_EQ(received[1], sent[0]);
    EXPECT_EQ(received[2], sent[1]);
    const std::string peer(received[0].text());
    ASSERT_EQ(send_frames_to(router, peer, {received[2]}), SendStatus::sent);
    Frames answer;
    ASSERT_TRUE(receive(dealer, answer));
    ASSERT_EQ(answer.size(), 1U);
    EXPECT_EQ(answer[0], sent[1]);
  }
}

TEST_F(SocketTest, ReceivedFramesAreAligned) {
  zmq::socket_t router = open(bind_router(context, kLoopback, options));
  zmq::socket_t dealer = open(connect_dealer(context, address_of(router), options));
  for (std::size_t size = 30; size < 200; ++size) {
    ASSERT_TRUE(send(dealer, {bytes(std::string(size, 'x'))}));
    Frames received;
    ASSERT_TRUE(receive(router, received));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(received[1].data()) % 8, 0U) << size;
  }
}

TEST_F(SocketTest, LargeFrameLivesUntilItIsSentAndNoLonger) {
  zmq::socket_t router = open(bind_router(context, kLoopback, options));
  zmq::socket_t dealer = open(connect_dealer(context, address_of(router), options));
  auto owner = std::make_shared<std::vector<std::uint8_t>>(1'000'000, std::uint8_t{7});
  const std::weak_ptr<std::vector<std::uint8_t>> watched = owner;
  {
    const Frames frames = {SharedBytes(owner, std::span<const std::uint8_t>(*owner))};
    ASSERT_TRUE(send(dealer, frames));
  }
  owner.reset();
  Frames received;
  ASSERT_TRUE(receive(router, received));
  EXPECT_EQ(received[1].size(), 1'000'000U);
  EXPECT_EQ(received[1].view()[999'999], 7);
  EXPECT_TRUE(eventually([&] { return watched.expired(); }));
}

TEST_F(SocketTest, RefusedLargeFrameIsLetGo) {
  // Nobody listens there: with IMMEDIATE nothing is queued.
  zmq::socket_t dealer = open(connect_dealer(context, "tcp://127.0.0.1:1", options));
  auto owner = std::make_shared<std::vector<std::uint8_t>>(10'000);
  const Frames frames = {SharedBytes(owner, std::span<const std::uint8_t>(*owner))};
  EXPECT_EQ(send_frames(dealer, frames), SendStatus::full);
  EXPECT_EQ(owner.use_count(), 2);
}

TEST_F(SocketTest, UnknownPeerIsUnreachableAndTheRouterGoesOn) {
  zmq::socket_t router = open(bind_router(context, kLoopback, options));
  EXPECT_EQ(send_frames_to(router, "nobody", {bytes("a"), bytes("b")}), SendStatus::unreachable);
  zmq::socket_t dealer = open(connect_dealer(context, address_of(router), options));
  ASSERT_TRUE(send(dealer, {bytes("hello")}));
  Frames received;
  ASSERT_TRUE(receive(router, received));
  EXPECT_EQ(received[1].text(), "hello");
}

TEST_F(SocketTest, PeerThatLeftIsUnreachable) {
  zmq::socket_t router = open(bind_router(context, kLoopback, options));
  std::string peer;
  {
    zmq::socket_t dealer = open(connect_dealer(context, address_of(router), options));
    ASSERT_TRUE(send(dealer, {bytes("hello")}));
    Frames received;
    ASSERT_TRUE(receive(router, received));
    peer = received[0].text();
  }
  EXPECT_TRUE(eventually(
      [&] { return send_frames_to(router, peer, {bytes("x")}) == SendStatus::unreachable; }));
}

TEST_F(SocketTest, PeerThatDoesNotReadIsFullAndNothingIsHalfSent) {
  options.send_messages_max = 4;
  options.receive_messages_max = 4;
  zmq::socket_t router = open(bind_router(context, kLoopback, options));
  zmq::socket_t dealer = open(connect_dealer(context, address_of(router), options));
  ASSERT_TRUE(send(dealer, {bytes("hello")}));
  Frames received;
  ASSERT_TRUE(receive(router, received));
  const std::string peer(received[0].text());
  const Frames large = {bytes("control"), bytes(std::string(1'000'000, 'x'))};
  int sent = 0;
  while (sent < 1'000 && send_frames_to(router, peer, large) == SendStatus::sent) ++sent;
  ASSERT_LT(sent, 1'000);
  EXPECT_EQ(send_frames_to(router, peer, large), SendStatus::full);
  for (int i = 0; i < sent; ++i) {
    ASSERT_TRUE(receive(dealer, received)) << i << " of " << sent;
    ASSERT_EQ(received.size(), 2U);
    EXPECT_EQ(received[1].size(), 1'000'000U);
  }
}

TEST_F(SocketTest, MessageOfTooManyFramesIsReadAway) {
  zmq::socket_t router = open(bind_router(context, kLoopback, options));
  zmq::socket_t dealer = open(connect_dealer(context, address_of(router), options));
  ASSERT_TRUE(send(dealer, Frames(6, bytes("x"))));  // seven with the routing id
  ASSERT_TRUE(send(dealer, Frames(3, bytes("y"))));
  Frames received;
  ASSERT_TRUE(
      eventually([&] { return receive_frames(router, received) == ReceiveStatus::dropped; }));
  EXPECT_TRUE(received.empty());
  ASSERT_TRUE(receive(router, received));
  EXPECT_EQ(received.size(), 4U);
  EXPECT_EQ(received[1].text(), "y");
}

TEST_F(SocketTest, FrameOverTheLimitClosesTheConnectionAndTheNextOneServes) {
  options.frame_bytes_max = ByteCount(1'000);
  zmq::socket_t router = open(bind_router(context, kLoopback, options));
  zmq::socket_t dealer = open(connect_dealer(context, address_of(router), options));
  ASSERT_TRUE(send(dealer, {bytes(std::string(1'001, 'x'))}));
  Frames received;
  ASSERT_TRUE(eventually([&] {
    send_frames(dealer, {bytes("small")});
    return receive_frames(router, received) == ReceiveStatus::received;
  }));
  EXPECT_EQ(received[1].text(), "small");
}

TEST_F(SocketTest, NothingIsThereWithoutWaiting) {
  zmq::socket_t router = open(bind_router(context, kLoopback, options));
  Frames received = {bytes("old")};
  EXPECT_EQ(receive_frames(router, received), ReceiveStatus::nothing);
  EXPECT_TRUE(received.empty());
}

TEST_F(SocketTest, BeatsReachABoundSubscriberAndPulsesAConnectedOne) {
  zmq::socket_t beats = open(bind_subscriber(context, kLoopback, options));
  zmq::socket_t worker = open(connect_publisher(context, address_of(beats), options));
  Frames received;
  EXPECT_TRUE(eventually([&] {
    send_frames(worker, {bytes("beat")});
    return receive_frames(beats, received) == ReceiveStatus::received;
  }));
  EXPECT_EQ(received[0].text(), "beat");

  zmq::socket_t pulse = open(bind_publisher(context, kLoopback, options));
  zmq::socket_t peer = open(connect_subscriber(context, address_of(pulse), options));
  EXPECT_TRUE(eventually([&] {
    send_frames(pulse, {bytes("pulse")});
    return receive_frames(peer, received) == ReceiveStatus::received;
  }));
  EXPECT_EQ(received[0].text(), "pulse");
}

// With them a peer that fills its queue and goes away ends the process: docs/decisions/0060.
TEST_F(SocketTest, NoSocketUsesTheHeartbeatsOfZmtp) {
  zmq::socket_t router = open(bind_router(context, kLoopback, options));
  zmq::socket_t beats = open(bind_subscriber(context, kLoopback, options));
  zmq::socket_t pulse = open(bind_publisher(context, kLoopback, options));
  zmq::socket_t dealer = open(connect_dealer(context, address_of(router), options));
  zmq::socket_t worker = open(connect_publisher(context, address_of(beats), options));
  zmq::socket_t peer = open(connect_subscriber(context, address_of(pulse), options));
  for (const zmq::socket_t* socket : {&router, &beats, &pulse, &dealer, &worker, &peer}) {
    EXPECT_EQ(socket->get(zmq::sockopt::heartbeat_ivl), 0);
    EXPECT_EQ(socket->get(zmq::sockopt::tcp_keepalive), 1);
  }
}

TEST_F(SocketTest, PollSeesWhatCameAndOtherwiseEnds) {
  zmq::socket_t router = open(bind_router(context, kLoopback, options));
  zmq::socket_t dealer = open(connect_dealer(context, address_of(router), options));
  zmq::pollitem_t item = {router.handle(), 0, ZMQ_POLLIN, 0};
  EXPECT_EQ(poll_items(&item, 1, Duration()), 0);
  EXPECT_EQ(poll_items(&item, 1, Duration::nanoseconds(-5)), 0);
  ASSERT_TRUE(send(dealer, {bytes("hello")}));
  // Longer than the clamp: it must not wrap around.
  EXPECT_EQ(poll_items(&item, 1, Time::never() - Time()), 1);
}

}  // namespace
}  // namespace millrace::wire
