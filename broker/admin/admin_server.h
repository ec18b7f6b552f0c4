// HTTP for people, monitors and health checks: serves an AdminSite on one address. The only part of
// Millrace that knows CivetWeb.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/admin/admin_site.h"
#include "common/base/result.h"

namespace millrace::broker {

struct AdminSettings {
  std::string host = "127.0.0.1";  // an IPv4 address or a name of one; 0.0.0.0: every interface
  std::uint16_t port = 8080;       // 0: a free one
  std::uint32_t threads = 16;      // requests answered at once; more wait
  ApiSettings api;                 // its waiting requests have threads of their own beyond these
  std::vector<std::string> allowed_hosts;  // names beyond those of host_allowed
};

// Owns its threads. Not movable; destroying it stops it.
class AdminServer {
 public:
  // Listens and serves from now on, whom `gate` lets pass. `tasks` and `api` must outlive the
  // server. Errors: misconfigured, with the address and the cause, when it cannot be bound.
  static Result<std::unique_ptr<AdminServer>> start(const AdminSettings& settings,
                                                    StatusSource status, TimeSource now,
                                                    TaskReader& tasks, ApiSite& api,
                                                    const HttpGate& gate);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // The port in use.
  std::uint16_t port() const;

  // Ends the listening, cuts idle connections and joins the threads, within about a second; a
  // request that waits for the TaskReader, or for a TaskDoor that is not closed, is waited for.
  // Idempotent; not to be called from a request.
  void stop();

 private:
  class Listener;
  explicit AdminServer(std::unique_ptr<Listener> listener);
  std::unique_ptr<Listener> listener_;
};

}  // namespace millrace::broker
