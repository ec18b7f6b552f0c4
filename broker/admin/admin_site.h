// What the admin address answers: routes, status codes and documents, without a socket.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/admin/api_site.h"
#include "broker/admin/http_gate.h"
#include "broker/admin/http_message.h"
#include "broker/admin/request_slots.h"
#include "broker/admin/status_snapshot.h"
#include "broker/admin/task_reader.h"

namespace millrace::broker {

// The newest snapshot, or null before the first. Called from several threads.
using StatusSource = std::function<StatusPointer()>;
// The time now, on the clock of StatusSnapshot::taken. Called from several threads.
using TimeSource = std::function<Time()>;

// The status pages are read-only; what changes tasks is the ApiSite's. See host_allowed for what
// keeps web pages of other origins out. Thread-safe.
class AdminSite {
 public:
  // A request line and headers, and a status page's body, larger than these are answered 413.
  static constexpr std::size_t kHeadBytesMax = 16 * 1024;
  static constexpr std::uint64_t kBodyBytesMax = 64 * 1024;
  // Tasks in one answer of /dlq.
  static constexpr std::uint64_t kListLimitMax = 1'000;
  // Readers of /events at once, each with a thread; and workers in an event.
  static constexpr std::uint32_t kStreamsMax = 8;
  static constexpr std::size_t kEventWorkersMax = 200;

  // `tasks` and `api` must outlive the site. `allowed_hosts`: see host_allowed. `gate` is for the
  // status pages; the API has its own.
  AdminSite(StatusSource status, TimeSource now, TaskReader& tasks, ApiSite& api,
            std::vector<std::string> allowed_hosts, HttpGate gate);

  // The answer to any request, however malformed.
  HttpResponse respond(const HttpRequest& request, HttpConnection& connection) const;

 private:
  using Handler = HttpResponse (AdminSite::*)(const HttpRequest&) const;
  struct Route {
    Handler handler;  // null: there is no such page
    HttpAccess access;
  };

  Route route(std::string_view path) const;
  static Handler page_of_task(std::string_view path);
  HttpResponse metrics(const HttpRequest& request) const;
  HttpResponse workers(const HttpRequest& request) const;
  HttpResponse queues(const HttpRequest& request) const;
  HttpResponse past(const HttpRequest& request) const;
  HttpResponse events(HttpConnection& connection) const;
  HttpResponse tasks(const HttpRequest& request) const;
  HttpResponse task_list(const HttpRequest& request, TaskState state) const;
  HttpResponse task(const HttpRequest& request) const;
  HttpResponse explain(const HttpRequest& request) const;
  HttpResponse history(const HttpRequest& request) const;
  Result<Explained> explained(std::string_view path, std::string_view page) const;
  HttpResponse dead_letters(const HttpRequest& request) const;
  HttpResponse alive(const HttpRequest& request) const;
  HttpResponse ready(const HttpRequest& request) const;
  HttpResponse dashboard(const HttpRequest& request) const;

  StatusSource status_;
  TimeSource now_;
  TaskReader& tasks_;
  ApiSite& api_;
  std::vector<std::string> allowed_hosts_;
  HttpGate gate_;
  std::shared_ptr<RequestSlots> streams_ = std::make_shared<RequestSlots>(kStreamsMax);
};

}  // namespace millrace::broker
