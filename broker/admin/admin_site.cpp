#include "broker/admin/admin_site.h"

#include <array>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "broker/admin/dashboard_assets.h"
#include "broker/admin/http_answers.h"
#include "broker/admin/http_rules.h"
#include "broker/admin/prometheus.h"
#include "broker/admin/readiness.h"
#include "broker/admin/status_json.h"
#include "broker/admin/task_json.h"

namespace millrace::broker {
namespace {

constexpr std::string_view kTaskPrefix = "/tasks/";
constexpr std::string_view kEventsPath = "/events";
// Between two events, and between two looks whether anybody still reads them.
constexpr std::chrono::milliseconds kLookInterval{200};
constexpr int kLooksPerEvent = 5;
constexpr std::string_view kExplainPage = "/explain";
constexpr std::string_view kHistoryPage = "/history";

constexpr const char* kNoTaskId =
    "a task id is a UUID such as 0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f";

HttpResponse no_status_yet() {
  return retry_answer("unavailable",
                      "the broker is starting and has no status yet; ask again in a second");
}

std::size_t head_bytes(const HttpRequest& request) {
  std::size_t bytes = request.method.size() + request.path.size() + request.query.size();
  for (const auto& header : request.headers) bytes += header.first.size() + header.second.size();
  return bytes;
}

// RFC 9112 section 3.2: exactly one Host, which only HTTP/1.0 may leave out.
std::optional<HttpResponse> check_host(const HttpRequest& request,
                                       const std::vector<std::string>& allowed) {
  const std::vector<std::string_view> hosts = header_values(request, "host");
  if (hosts.empty() && request.version == "1.0") return std::nullopt;
  if (hosts.size() != 1) {
    return error_answer(400, "invalid", "send exactly one Host header");
  }
  if (host_allowed(hosts.front(), allowed)) return std::nullopt;
  return error_answer(403, "forbidden",
                      "this host name is not one of the broker's; use an IP address or add the "
                      "name to the broker's allowed hosts");
}

std::optional<HttpResponse> check_head(const HttpRequest& request) {
  if (head_bytes(request) > AdminSite::kHeadBytesMax) {
    return error_answer(413, "too_large", "request line and headers are over 16 KiB");
  }
  if (!header_values(request, "transfer-encoding").empty()) {
    return error_answer(411, "invalid", "send a body with a Content-Length, or none");
  }
  return std::nullopt;
}

// The status pages read no body, so a small one is passed over.
std::optional<HttpResponse> check_body(const HttpRequest& request) {
  for (const std::string_view length : header_values(request, "content-length")) {
    if (!parse_number(length, AdminSite::kBodyBytesMax)) {
      return error_answer(413, "too_large", "the body is over 64 KiB; none is needed here");
    }
  }
  return std::nullopt;
}

}  // namespace

AdminSite::AdminSite(StatusSource status, TimeSource now, TaskReader& tasks, ApiSite& api,
                     std::vector<std::string> allowed_hosts, HttpGate gate)
    : status_(std::move(status)),
      now_(std::move(now)),
      tasks_(tasks),
      api_(api),
      allowed_hosts_(std::move(allowed_hosts)),
      gate_(std::move(gate)) {}

HttpResponse AdminSite::respond(const HttpRequest& request, HttpConnection& connection) const {
  if (auto refusal = check_host(request, allowed_hosts_)) return *std::move(refusal);
  if (auto refusal = check_head(request)) return *std::move(refusal);
  if (request.path.starts_with(ApiSite::kPrefix)) return api_.respond(request, connection);
  if (auto refusal = check_body(request)) return *std::move(refusal);
  const Route found = route(request.path);
  const bool is_stream = request.path == kEventsPath;
  if (found.handler == nullptr && !is_stream) {
    return error_answer(404, "not_found",
                        "no such page; there are /, /metrics, /workers, /queues, /tasks, "
                        "/tasks/{id} with /explain and /history, /dlq, /history, /events, /livez, "
                        "/readyz and /v1/");
  }
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse response =
        error_answer(405, "method_not_allowed", "everything here is read-only: use GET or HEAD");
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
  }
  if (auto refusal = gate_.refusal(request, found.access)) return *std::move(refusal);
  return is_stream ? events(connection) : (this->*found.handler)(request);
}

AdminSite::Route AdminSite::route(std::string_view path) const {
  static constexpr std::array<std::pair<std::string_view, Route>, 8> kRoutes = {{
      {"/metrics", {&AdminSite::metrics, HttpAccess::read}},
      {"/workers", {&AdminSite::workers, HttpAccess::read}},
      {"/queues", {&AdminSite::queues, HttpAccess::read}},
      {"/tasks", {&AdminSite::tasks, HttpAccess::read}},
      {"/dlq", {&AdminSite::dead_letters, HttpAccess::read}},
      {"/history", {&AdminSite::past, HttpAccess::read}},
      {"/livez", {&AdminSite::alive, HttpAccess::open}},
      {"/readyz", {&AdminSite::ready, HttpAccess::open}},
  }};
  for (const auto& [name, found] : kRoutes) {
    if (path == name) return found;
  }
  // The page is the same for everybody; what it shows it asks for.
  if (dashboard_asset(path) != nullptr) return {&AdminSite::dashboard, HttpAccess::open};
  return {page_of_task(path), HttpAccess::read};
}

// Null when the path is none of a task.
AdminSite::Handler AdminSite::page_of_task(std::string_view path) {
  if (!path.starts_with(kTaskPrefix)) return nullptr;
  const std::string_view task = path.substr(kTaskPrefix.size());
  const std::size_t slash = task.find('/');
  if (slash == 0 || task.empty()) return nullptr;
  if (slash == std::string_view::npos) return &AdminSite::task;
  const std::string_view page = task.substr(slash);
  if (page == kExplainPage) return &AdminSite::explain;
  return page == kHistoryPage ? &AdminSite::history : nullptr;
}

HttpResponse AdminSite::metrics(const HttpRequest& request) const {
  const std::optional<std::string> format = query_parameter(request.query, "format");
  if (format && *format != "json" && *format != "prometheus") {
    return error_answer(400, "invalid", "format must be json or prometheus");
  }
  const StatusPointer status = status_();
  if (!status) return no_status_yet();
  bool prometheus = format == "prometheus";
  if (!format) {
    std::string accept;
    for (const std::string_view value : header_values(request, "accept")) {
      accept.append(value).append(",");
    }
    prometheus = prefers_prometheus(accept);
  }
  HttpResponse response =
      prometheus ? HttpResponse{200, kPrometheusContentType, prometheus_text(*status), {}}
                 : json_answer(metrics_json(*status));
  response.headers.emplace_back("Vary", "Accept");
  return response;
}

HttpResponse AdminSite::workers(const HttpRequest&) const {
  const StatusPointer status = status_();
  return status ? json_answer(workers_json(*status)) : no_status_yet();
}

HttpResponse AdminSite::queues(const HttpRequest&) const {
  const StatusPointer status = status_();
  return status ? json_answer(queues_json(*status)) : no_status_yet();
}

HttpResponse AdminSite::past(const HttpRequest&) const {
  const StatusPointer status = status_();
  return status ? json_answer(history_json(*status)) : no_status_yet();
}

// Server-sent events, WHATWG HTML section 9.2: each newest snapshot once, at most one a second.
HttpResponse AdminSite::events(HttpConnection& connection) const {
  auto share = streams_->take();
  if (!share) {
    return retry_answer("busy", "enough others read events already; ask for /metrics instead");
  }
  HttpResponse response;
  response.content_type = "text/event-stream";
  response.stream = [kept = std::make_shared<RequestSlots::Share>(*std::move(share)),
                     status = status_, &connection](HttpStream& stream) {
    StatusPointer told;
    while (!connection.gone()) {
      StatusPointer newest = status();
      const bool is_news = newest && newest != told;
      const std::string words =
          is_news ? "data: " + event_json(*newest, kEventWorkersMax) + "\n" : ":\n\n";
      if (!stream.write(words)) return;
      told = std::move(newest);
      for (int look = 0; look < kLooksPerEvent && !connection.gone(); ++look) {
        std::this_thread::sleep_for(kLookInterval);
      }
    }
  };
  return response;
}

HttpResponse AdminSite::task(const HttpRequest& request) const {
  const std::string_view text = std::string_view(request.path).substr(kTaskPrefix.size());
  const std::optional<TaskId> id = parse_id<TaskId>(text);
  if (!id) return error_answer(400, "invalid", kNoTaskId);
  GetTasks get;
  get.tasks = {*id};
  get.with_attempts = true;
  get.with_result = query_parameter(request.query, "result") == "true";
  const Result<TaskList> found = tasks_.get(get);
  if (!found) return error_answer(found.error());
  if (found->tasks.empty()) {
    return error_answer(404, "not_found", "no such task: never accepted here, or forgotten since");
  }
  return json_answer(task_json(found->tasks.front()));
}

HttpResponse AdminSite::explain(const HttpRequest& request) const {
  const std::optional<std::string> format = query_parameter(request.query, "format");
  if (format && *format != "json" && *format != "text") {
    return error_answer(400, "invalid", "format must be json or text");
  }
  const Result<Explained> found = explained(request.path, kExplainPage);
  if (!found) return error_answer(found.error());
  if (format == "text") {
    return HttpResponse{200, "text/plain; charset=utf-8", found->text + "\n", {}};
  }
  return json_answer(explanation_document(*found));
}

HttpResponse AdminSite::history(const HttpRequest& request) const {
  const Result<Explained> found = explained(request.path, kHistoryPage);
  return found ? json_answer(history_document(*found)) : error_answer(found.error());
}

// The task of a path that ends with `page`.
Result<Explained> AdminSite::explained(std::string_view path, std::string_view page) const {
  path.remove_prefix(kTaskPrefix.size());
  path.remove_suffix(page.size());
  const std::optional<TaskId> id = parse_id<TaskId>(path);
  if (!id) return Error{ErrorCode::invalid, kNoTaskId};
  return tasks_.explain(*id);
}

HttpResponse AdminSite::dead_letters(const HttpRequest& request) const {
  return task_list(request, TaskState::dead);
}

HttpResponse AdminSite::tasks(const HttpRequest& request) const {
  const std::optional<std::string> name = query_parameter(request.query, "state");
  if (!name) return task_list(request, TaskState{0});
  const std::optional<TaskState> state = task_state_named(*name);
  if (!state) {
    return error_answer(400, "invalid",
                        "state must be delayed, pending, in_progress, succeeded, dead, cancelled "
                        "or expired");
  }
  return task_list(request, *state);
}

HttpResponse AdminSite::task_list(const HttpRequest& request, TaskState state) const {
  ListTasks list;
  list.filter.state = state;
  list.filter.queue = query_parameter(request.query, "queue").value_or("");
  if (const auto text = query_parameter(request.query, "cursor")) {
    const auto cursor = parse_number(*text, UINT64_MAX);
    if (!cursor) return error_answer(400, "invalid", "cursor must be the next_cursor of an answer");
    list.cursor = *cursor;
  }
  if (const auto text = query_parameter(request.query, "limit")) {
    const auto limit = parse_number(*text, kListLimitMax);
    if (!limit || *limit == 0) return error_answer(400, "invalid", "limit must be 1 to 1000");
    list.limit = static_cast<std::uint32_t>(*limit);
  }
  const Result<TaskList> found = tasks_.list(list);
  return found ? json_answer(task_list_json(*found)) : error_answer(found.error());
}

HttpResponse AdminSite::alive(const HttpRequest&) const {
  return json_answer("{\n  \"status\": \"alive\"\n}\n");
}

HttpResponse AdminSite::ready(const HttpRequest&) const {
  const StatusPointer status = status_();
  const std::vector<std::string> reasons = reasons_not_ready(status.get(), now_());
  if (reasons.empty()) return json_answer("{\n  \"status\": \"ready\"\n}\n");
  std::string message = "not ready: ";
  for (std::size_t i = 0; i < reasons.size(); ++i) message += (i == 0 ? "" : "; ") + reasons[i];
  return retry_answer("unavailable", message);
}

HttpResponse AdminSite::dashboard(const HttpRequest& request) const {
  const DashboardAsset& asset = *dashboard_asset(request.path);
  HttpResponse response{200, asset.content_type, std::string(asset.bytes), {}};
  response.headers.emplace_back("Content-Security-Policy", kDashboardContentSecurityPolicy);
  return response;
}

}  // namespace millrace::broker
