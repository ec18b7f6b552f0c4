// The HTTP API below /v1/: tasks in and out, and leases for workers, in JSON. Decides routes,
// status codes and documents; what is done is done by a TaskDoor. Written down in openapi.json.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "broker/admin/http_gate.h"
#include "broker/admin/http_message.h"
#include "broker/admin/request_slots.h"
#include "broker/admin/task_door.h"

namespace millrace::broker {

struct ApiSettings {
  // Requests that wait for a task or for its end at once; each takes a thread. Answer: busy.
  std::uint32_t polls_max = 64;
};

// Thread-safe.
class ApiSite {
 public:
  static constexpr std::string_view kPrefix = "/v1/";
  // All other requests of the API at once. Answer: busy.
  static constexpr std::uint32_t kCallsMax = 8;
  // Of all bodies being read or worked on. Answer: busy.
  static constexpr std::uint64_t kBodyBytesInFlightMax = std::uint64_t{64} << 20;
  static constexpr Duration kWaitMax = Duration::seconds(60);
  static constexpr Duration kLeaseMin = Duration::seconds(1);
  static constexpr Duration kLeaseMax = Duration::hours(1);
  static constexpr Duration kLeaseDefault = Duration::seconds(30);

  // `door` must outlive the site.
  ApiSite(TaskDoor& door, const ApiSettings& settings, HttpGate gate);

  // The answer to any request for a path below kPrefix.
  HttpResponse respond(const HttpRequest& request, HttpConnection& connection);

  // One way to ask for one resource. `{id}` in the path stands for a task's id.
  struct Route {
    std::string_view method;
    std::string_view path;
    HttpAccess access;
  };
  // All of them, for those who compare them with openapi.json.
  static std::span<const Route> routes();

 private:
  struct Call;
  struct Handler;
  static std::span<const Handler> handlers();

  std::optional<HttpResponse> admit(const HttpRequest& request) const;
  HttpResponse answer(const Handler& handler, const HttpRequest& request,
                      HttpConnection& connection);
  HttpResponse with_body(const Handler& handler, Call& call, std::uint64_t bytes);

  HttpResponse submit(Call& call);
  HttpResponse task(Call& call);
  HttpResponse cancel(Call& call);
  HttpResponse lease(Call& call);
  HttpResponse heartbeat(Call& call);
  HttpResponse complete(Call& call);
  HttpResponse fail(Call& call);
  HttpResponse control_queue(Call& call);
  HttpResponse drain_worker(Call& call);
  HttpResponse requeue(Call& call);
  HttpResponse change_tasks(Call& call);
  HttpResponse document(Call& call);
  HttpResponse finish(Completion completion);

  TaskDoor& door_;
  const HttpGate gate_;
  RequestSlots polls_;
  RequestSlots calls_{kCallsMax};
  RequestSlots body_bytes_{kBodyBytesInFlightMax};
};

}  // namespace millrace::broker
