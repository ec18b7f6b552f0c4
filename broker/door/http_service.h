// All of the broker that speaks HTTP, in one: the server, what it answers, and its way to the
// tasks.
#pragma once

#include <memory>
#include <zmq.hpp>

#include "broker/admin/admin_server.h"
#include "broker/config.h"
#include "broker/door/http_door.h"
#include "broker/task_lookup.h"

namespace millrace::broker {

// Owns its threads. Not movable; destroying it ends the requests under way and stops it within
// about a second.
class HttpService {
 public:
  // Serves from now on. `endpoints` are those bound, also in-process (see broker_sockets.h);
  // `context` must outlive the service. Errors: misconfigured (the address), io.
  static Result<std::unique_ptr<HttpService>> start(zmq::context_t& context,
                                                    const BrokerConfig& config,
                                                    const Endpoints& endpoints, StatusSource status,
                                                    TimeSource now);
  ~HttpService();
  HttpService(const HttpService&) = delete;
  HttpService& operator=(const HttpService&) = delete;

  std::uint16_t port() const { return server_->port(); }

 private:
  HttpService(zmq::context_t& context, const BrokerConfig& config, const Endpoints& endpoints,
              const StatusSource& status);

  TaskLookup lookup_;
  LeaseDesk leases_;
  HttpDoor door_;
  ApiSite api_;
  std::unique_ptr<AdminServer> server_;
};

}  // namespace millrace::broker
