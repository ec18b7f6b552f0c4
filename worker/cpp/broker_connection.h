// The worker's sockets: a DEALER for messages, a PUB for its beats, a SUB for the broker's pulse.
// For one thread. A lost TCP connection comes back by itself; what matters is decided by the
// session.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>

#include "common/wire/socket.h"

namespace millrace::worker {

class BrokerConnection {
 public:
  // Does not wait for the broker: a connection is made when it is there. Errors of open, reconnect
  // and connect_channels: misconfigured for a host that cannot be an address.
  // `key`: null for a broker without keys.
  static Result<BrokerConnection> open(const std::string& host, std::uint16_t port,
                                       std::shared_ptr<const keys::PeerKey> key);

  // A new DEALER in place of the old one, whose unsent messages are dropped.
  Status reconnect();
  // Connects PUB and SUB, unless they are connected to these ports already.
  Status connect_channels(const Endpoints& endpoints);
  // By these the broker's messages are judged from now on.
  void set_limits(const PeerLimits& limits) { limits_ = limits; }

  // Returns when there is something to receive or to send, when one of `descriptors` is readable,
  // or when `timeout` has passed.
  void wait(std::initializer_list<int> descriptors, Duration timeout);

  // The next message that passes every check; those that do not are counted. Never blocks.
  std::optional<WorkerReply> receive();
  std::optional<Pulse> receive_pulse();
  // True once after the transport lost the DEALER's connection.
  bool take_disconnected();
  std::uint64_t broken_messages() const { return broken_messages_; }
  // The last broken one's problem.
  const std::string& broken_because() const { return broken_because_; }

  // Never blocks. Waits inside for the connection, in order; a Hello supersedes all that waits, and
  // beyond a bound a message is dropped: the session repeats what matters.
  void send(const WorkerMessage& message);
  void send(const Beat& beat);

 private:
  BrokerConnection(zmq::context_t context, std::string host, std::uint16_t port,
                   std::shared_ptr<const keys::PeerKey> key)
      : context_(std::move(context)), host_(std::move(host)), port_(port), key_(std::move(key)) {}
  std::string address_of(std::uint16_t port) const;
  void watch_connection();
  void send_waiting();

  zmq::context_t context_;
  std::string host_;
  std::uint16_t port_;
  std::shared_ptr<const keys::PeerKey> key_;
  zmq::socket_t dealer_;
  zmq::socket_t monitor_;  // tells of the DEALER's disconnects
  std::uint64_t monitors_ = 0;
  zmq::socket_t publisher_;
  zmq::socket_t subscriber_;
  std::uint16_t beat_port_ = 0;
  std::uint16_t pulse_port_ = 0;
  PeerLimits limits_;
  std::deque<wire::Frames> waiting_;
  std::uint64_t broken_messages_ = 0;
  std::string broken_because_;
};

}  // namespace millrace::worker
