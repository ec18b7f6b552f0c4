// The broker's own sockets on free ports of the loopback, and peers that speak the protocol.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "broker/broker_sockets.h"
#include "common/wire/socket.h"

namespace millrace::broker::test {

constexpr Duration kPatience = Duration::seconds(60);

inline BrokerConfig config_of_test() {
  BrokerConfig config;
  config.client_port = config.worker_port = config.beat_port = config.pulse_port = 0;
  return config;
}

inline std::string address_of(std::uint16_t port) {
  return "tcp://127.0.0.1:" + std::to_string(port);
}

// The frames of the next message; fails the test when none comes.
inline wire::Frames receive(zmq::socket_t& socket) {
  zmq::pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
  wire::Frames frames;
  if (wire::poll_items(&item, 1, kPatience) == 0) ADD_FAILURE() << "no message in time";
  wire::receive_frames(socket, frames);
  return frames;
}

// The next reply of this kind; others are read away. Fails the test when none comes.
template <class Reply>
Reply next_reply(zmq::socket_t& client) {
  while (!::testing::Test::HasFailure()) {
    Result<ClientReply> reply = wire::decode_client_reply(receive(client), PeerLimits());
    if (!reply.ok()) {
      ADD_FAILURE() << reply.error().message;
    } else if (auto* wanted = std::get_if<Reply>(&*reply)) {
      return std::move(*wanted);
    }
  }
  return Reply();
}

class ShellTest : public ::testing::Test {
 protected:
  ShellTest()
      : config_(config_of_test()),
        context_(wire::make_context()),
        sockets_(*bind_broker_sockets(context_, config_, nullptr)) {}

  zmq::socket_t connect_client() {
    return *wire::connect_dealer(context_, address_of(sockets_.endpoints.client_port), {});
  }
  static void say(zmq::socket_t& client, const ClientMessage& message) {
    ASSERT_EQ(wire::send_frames(client, wire::encode(message)), wire::SendStatus::sent);
  }

  BrokerConfig config_;
  zmq::context_t context_;
  BrokerSockets sockets_;
};

}  // namespace millrace::broker::test
