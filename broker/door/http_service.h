// All of the broker that speaks HTTP, in one: the server, what it answers, and its way to the
// tasks.
#pragma once

#include <memory>
#include <zmq.hpp>

#include "broker/access/access_keeper.h"
#include "broker/admin/admin_server.h"
#include "broker/config.h"
#include "broker/door/http_door.h"
#include "broker/status_board.h"
#include "broker/task_lookup.h"

namespace millrace::broker {

// Owns its threads. Not movable; destroying it ends the requests under way and stops it within
// about a second.
class HttpService {
 public:
  // Serves from now on. `endpoints` are those bound, also in-process (see broker_sockets.h);
  // `context`, `keeper` (null without keys), `board` and `clock` must outlive the service. Errors:
  // misconfigured (the address), io.
  static Result<std::unique_ptr<HttpService>> start(
      zmq::context_t& context, const BrokerConfig& config, const Endpoints& endpoints,
      const AccessKeeper* keeper, const StatusBoard& board, const host::Clock& clock);
  ~HttpService();
  HttpService(const HttpService&) = delete;
  HttpService& operator=(const HttpService&) = delete;

  std::uint16_t port() const { return server_->port(); }

 private:
  HttpService(zmq::context_t& context, const BrokerConfig& config, const Endpoints& endpoints,
              const AccessKeeper* keeper, const StatusSource& status, const HttpGate& gate);

  TaskLookup lookup_;
  LeaseDesk leases_;
  HttpDoor door_;
  ApiSite api_;
  std::unique_ptr<AdminServer> server_;
};

}  // namespace millrace::broker
