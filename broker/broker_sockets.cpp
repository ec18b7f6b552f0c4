#include "broker/broker_sockets.h"

#include "common/wire/socket.h"

namespace millrace::broker {
namespace {

std::string address_of(const BrokerConfig& config, std::uint16_t port) {
  const bool is_ipv6 =
      config.bind_host.find(':') != std::string::npos && config.bind_host.front() != '[';
  const std::string host = is_ipv6 ? "[" + config.bind_host + "]" : config.bind_host;
  return "tcp://" + host + ":" + (port == 0 ? std::string("*") : std::to_string(port));
}

}  // namespace

Result<BrokerSockets> bind_broker_sockets(zmq::context_t& context, const BrokerConfig& config,
                                          const AccessKeeper* keeper) {
  wire::SocketOptions options;
  options.frame_bytes_max = config.core.limits.frame_bytes_max;
  if (keeper != nullptr) options.broker_key = keeper->broker_key();
  auto clients = wire::bind_router(context, address_of(config, config.client_port), options);
  if (!clients.ok()) return clients.error();
  auto workers = wire::bind_router(context, address_of(config, config.worker_port), options);
  if (!workers.ok()) return workers.error();
  auto beats = wire::bind_subscriber(context, address_of(config, config.beat_port), options);
  if (!beats.ok()) return beats.error();
  auto pulse = wire::bind_publisher(context, address_of(config, config.pulse_port), options);
  if (!pulse.ok()) return pulse.error();

  BrokerSockets sockets{std::move(*clients), std::move(*workers), std::move(*beats),
                        std::move(*pulse), Endpoints()};
  sockets.endpoints.client_port = wire::port_of(sockets.clients);
  sockets.endpoints.worker_port = wire::port_of(sockets.workers);
  sockets.endpoints.beat_port = wire::port_of(sockets.beats);
  sockets.endpoints.pulse_port = wire::port_of(sockets.pulse);
  try {
    sockets.clients.bind(kInprocClients);
    sockets.workers.bind(kInprocWorkers);
    sockets.beats.bind(kInprocBeats);
    sockets.pulse.bind(kInprocPulse);
  } catch (const zmq::error_t& error) {
    return Error{ErrorCode::misconfigured,
                 std::string("cannot open the door for HTTP: ") + error.what()};
  }
  return sockets;
}

}  // namespace millrace::broker
