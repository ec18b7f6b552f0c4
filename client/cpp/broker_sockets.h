// The client's two sockets: requests and replies on a DEALER, the broker's pulse on a SUB.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "common/host/host_port.h"
#include "common/wire/socket.h"

namespace millrace::client {

// Belongs to one thread.
class BrokerSockets {
 public:
  // `key`: null for a broker without keys.
  BrokerSockets(host::HostPort broker, std::shared_ptr<const keys::PeerKey> key)
      : broker_(std::move(broker)), key_(std::move(key)) {}

  // Makes the DEALER (anew); what was not sent is dropped. Errors: misconfigured.
  Status connect();
  // Listens to the pulse on `port`; a repeated call with the same port changes nothing.
  void listen(std::uint16_t pulse_port);

  // Sends, or queues until the connection takes it.
  void send(wire::Frames frames);
  // Waits until a message, `wake_descriptor` or `timeout`.
  void wait(int wake_descriptor, Duration timeout);
  // The next message, if any. Never blocks.
  std::optional<wire::Frames> receive_reply();
  std::optional<SharedBytes> receive_pulse();

 private:
  void flush();

  host::HostPort broker_;
  std::shared_ptr<const keys::PeerKey> key_;
  zmq::context_t context_ = wire::make_context();
  std::optional<zmq::socket_t> dealer_;
  std::optional<zmq::socket_t> pulse_;
  std::uint16_t pulse_port_ = 0;
  std::deque<wire::Frames> unsent_;
};

}  // namespace millrace::client
