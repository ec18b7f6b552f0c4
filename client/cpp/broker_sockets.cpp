#include "client/cpp/broker_sockets.h"

#include <array>
#include <utility>

namespace millrace::client {

Status BrokerSockets::connect() {
  unsent_.clear();
  dealer_.reset();
  wire::SocketOptions options;
  options.key = key_;
  Result<zmq::socket_t> socket =
      wire::connect_dealer(context_, host::to_tcp_address(broker_), options);
  if (!socket) return socket.error();
  dealer_.emplace(std::move(*socket));
  return Done();
}

void BrokerSockets::listen(std::uint16_t pulse_port) {
  if (pulse_port == pulse_port_ && pulse_.has_value()) return;
  pulse_.reset();
  pulse_port_ = pulse_port;
  const host::HostPort address{broker_.host, pulse_port};
  wire::SocketOptions options;
  options.frame_bytes_max = ByteCount::kibibytes(4);
  options.key = key_;
  Result<zmq::socket_t> socket =
      wire::connect_subscriber(context_, host::to_tcp_address(address), options);
  // Without a pulse the pings notice a dead broker, only later.
  if (socket) pulse_.emplace(std::move(*socket));
}

void BrokerSockets::send(wire::Frames frames) {
  unsent_.push_back(std::move(frames));
  flush();
}

void BrokerSockets::flush() {
  while (!unsent_.empty() && dealer_.has_value()) {
    if (wire::send_frames(*dealer_, unsent_.front()) != wire::SendStatus::sent) return;
    unsent_.pop_front();
  }
}

void BrokerSockets::wait(int wake_descriptor, Duration timeout) {
  std::array<zmq::pollitem_t, 3> items{};
  items[0] = {nullptr, wake_descriptor, ZMQ_POLLIN, 0};
  std::size_t count = 1;
  if (dealer_.has_value()) {
    const auto events = static_cast<short>(unsent_.empty() ? ZMQ_POLLIN : ZMQ_POLLIN | ZMQ_POLLOUT);
    items[count++] = {dealer_->handle(), 0, events, 0};
  }
  if (pulse_.has_value()) items[count++] = {pulse_->handle(), 0, ZMQ_POLLIN, 0};
  wire::poll_items(items.data(), count, timeout);
  flush();
}

std::optional<wire::Frames> BrokerSockets::receive_reply() {
  if (!dealer_.has_value()) return std::nullopt;
  wire::Frames frames;
  for (;;) {
    const wire::ReceiveStatus status = wire::receive_frames(*dealer_, frames);
    if (status == wire::ReceiveStatus::received) return frames;
    if (status == wire::ReceiveStatus::nothing) return std::nullopt;
  }
}

std::optional<SharedBytes> BrokerSockets::receive_pulse() {
  if (!pulse_.has_value()) return std::nullopt;
  wire::Frames frames;
  if (wire::receive_frames(*pulse_, frames, 1) != wire::ReceiveStatus::received)
    return std::nullopt;
  return std::move(frames.front());
}

}  // namespace millrace::client
