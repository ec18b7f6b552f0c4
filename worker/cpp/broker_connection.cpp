#include "worker/cpp/broker_connection.h"

#include <utility>
#include <variant>
#include <vector>

#include "common/wire/control_codec.h"
#include "common/wire/heartbeat_codec.h"

namespace millrace::worker {
namespace {

constexpr std::size_t kWaitingMost = 256;  // messages, while the broker is away or slow

Status status_of(const Result<zmq::socket_t>& socket) {
  return socket ? Status(Done{}) : Status(socket.error());
}

}  // namespace

Result<BrokerConnection> BrokerConnection::open(const std::string& host, std::uint16_t port,
                                                std::shared_ptr<const keys::PeerKey> key) {
  BrokerConnection connection(wire::make_context(), host, port, std::move(key));
  const Status connected = connection.reconnect();
  if (!connected) return connected.error();
  return connection;
}

std::string BrokerConnection::address_of(std::uint16_t port) const {
  const bool literal = host_.find(':') != std::string::npos;  // IPv6
  return "tcp://" + (literal ? "[" + host_ + "]" : host_) + ":" + std::to_string(port);
}

Status BrokerConnection::reconnect() {
  waiting_.clear();
  monitor_ = zmq::socket_t();
  wire::SocketOptions options;
  options.key = key_;
  auto dealer = wire::connect_dealer(context_, address_of(port_), options);
  if (!dealer) return dealer.error();
  dealer_ = *std::move(dealer);
  watch_connection();
  return Done{};
}

// A hint only: without it a lost connection shows as silence.
void BrokerConnection::watch_connection() {
  const std::string address = "inproc://worker-dealer-" + std::to_string(++monitors_);
  if (zmq_socket_monitor(dealer_.handle(), address.c_str(), ZMQ_EVENT_DISCONNECTED) != 0) return;
  try {
    zmq::socket_t monitor(context_, zmq::socket_type::pair);
    monitor.set(zmq::sockopt::linger, 0);
    monitor.connect(address);
    monitor_ = std::move(monitor);
  } catch (const zmq::error_t&) {
    monitor_ = zmq::socket_t();
  }
}

Status BrokerConnection::connect_channels(const Endpoints& endpoints) {
  wire::SocketOptions options{
      .send_messages_max = 16, .receive_messages_max = 64, .linger = Duration()};
  options.key = key_;
  if (endpoints.beat_port != beat_port_) {
    auto publisher = wire::connect_publisher(context_, address_of(endpoints.beat_port), options);
    if (!publisher) return status_of(publisher);
    publisher_ = *std::move(publisher);
    beat_port_ = endpoints.beat_port;
  }
  if (endpoints.pulse_port != pulse_port_) {
    auto subscriber = wire::connect_subscriber(context_, address_of(endpoints.pulse_port), options);
    if (!subscriber) return status_of(subscriber);
    subscriber_ = *std::move(subscriber);
    pulse_port_ = endpoints.pulse_port;
  }
  return Done{};
}

void BrokerConnection::wait(std::initializer_list<int> descriptors, Duration timeout) {
  std::vector<zmq::pollitem_t> items;
  const auto watch = [&items](zmq::socket_t& socket, bool writable) {
    const auto events = static_cast<short>(ZMQ_POLLIN | (writable ? ZMQ_POLLOUT : 0));
    if (socket) items.push_back(zmq::pollitem_t{socket.handle(), 0, events, 0});
  };
  watch(dealer_, !waiting_.empty());
  watch(subscriber_, false);
  watch(monitor_, false);
  for (const int descriptor : descriptors) {
    items.push_back(zmq::pollitem_t{nullptr, descriptor, ZMQ_POLLIN, 0});
  }
  wire::poll_items(items.data(), items.size(), timeout);
  send_waiting();
}

std::optional<WorkerReply> BrokerConnection::receive() {
  wire::Frames frames;
  for (;;) {
    const auto status = wire::receive_frames(dealer_, frames);
    if (status == wire::ReceiveStatus::nothing) return std::nullopt;
    if (status == wire::ReceiveStatus::received) {
      auto reply = wire::decode_worker_reply(frames, limits_);
      if (reply) return *std::move(reply);
      broken_because_ = reply.error().message;
    } else {
      broken_because_ = "too many frames";
    }
    ++broken_messages_;
  }
}

std::optional<Pulse> BrokerConnection::receive_pulse() {
  wire::Frames frames;
  while (subscriber_) {
    const auto status = wire::receive_frames(subscriber_, frames, 1);
    if (status == wire::ReceiveStatus::nothing) break;
    if (status == wire::ReceiveStatus::received) {
      auto pulse = wire::decode_pulse(frames[0]);
      if (pulse) return *pulse;
    }
    ++broken_messages_;
    broken_because_ = "not a pulse";
  }
  return std::nullopt;
}

bool BrokerConnection::take_disconnected() {
  bool disconnected = false;
  wire::Frames event;
  while (monitor_ && wire::receive_frames(monitor_, event) != wire::ReceiveStatus::nothing) {
    disconnected = true;
  }
  return disconnected;
}

void BrokerConnection::send(const WorkerMessage& message) {
  if (std::holds_alternative<WorkerHello>(message)) waiting_.clear();
  if (waiting_.size() >= kWaitingMost) return;
  waiting_.push_back(wire::encode(message));
  send_waiting();
}

void BrokerConnection::send_waiting() {
  while (!waiting_.empty()) {
    if (wire::send_frames(dealer_, waiting_.front()) != wire::SendStatus::sent) return;
    waiting_.pop_front();
  }
}

void BrokerConnection::send(const Beat& beat) {
  // Beats may be lost; the next one says the same.
  if (publisher_) static_cast<void>(wire::send_frames(publisher_, {wire::encode(beat)}));
}

}  // namespace millrace::worker
