// The broker's four ZeroMQ sockets.
#pragma once

#include <zmq.hpp>

#include "broker/access/access_keeper.h"
#include "broker/config.h"
#include "common/base/messages.h"

namespace millrace::broker {

struct BrokerSockets {
  zmq::socket_t clients;  // ROUTER
  zmq::socket_t workers;  // ROUTER
  zmq::socket_t beats;    // SUB
  zmq::socket_t pulse;    // PUB
  Endpoints endpoints;    // http_port is still 0
};

// Each is also bound here, for the broker's own HTTP.
inline constexpr const char* kInprocClients = "inproc://millrace-clients";
inline constexpr const char* kInprocWorkers = "inproc://millrace-workers";
inline constexpr const char* kInprocBeats = "inproc://millrace-beats";
inline constexpr const char* kInprocPulse = "inproc://millrace-pulse";

// Errors: misconfigured, naming the address and the cause. `keeper`: null without keys; else it
// must be at its work already, and every TCP socket asks for keys.
Result<BrokerSockets> bind_broker_sockets(zmq::context_t& context, const BrokerConfig& config,
                                          const AccessKeeper* keeper);

}  // namespace millrace::broker
