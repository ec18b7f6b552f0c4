#include "broker/admin/api_site.h"

#include <algorithm>
#include <array>
#include <utility>

#include "broker/admin/api_documents.h"
#include "broker/admin/api_requests.h"
#include "broker/admin/embedded_files.h"
#include "broker/admin/http_answers.h"
#include "broker/admin/http_rules.h"
#include "broker/admin/task_json.h"

namespace millrace::broker {
namespace {

constexpr std::string_view kTaskPath = "/v1/tasks/{id}";
constexpr std::string_view kTaskPrefix = "/v1/tasks/";

// Whether `path` is this route; `id` is what stands where the route has "{id}".
bool matches(std::string_view route, std::string_view path, std::string_view& id) {
  if (route != kTaskPath) return route == path;
  if (!path.starts_with(kTaskPrefix)) return false;
  id = path.substr(kTaskPrefix.size());
  return !id.empty() && id.find('/') == std::string_view::npos;
}

// The media type without its parameters, in lower case.
std::string media_type(const HttpRequest& request) {
  const auto values = header_values(request, "content-type");
  if (values.size() != 1) return "";
  std::string type(values.front().substr(0, values.front().find(';')));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return type;
}

bool is_lines(std::string_view type) {
  return type == "application/x-ndjson" || type == "application/jsonl";
}

// Of an Origin header; empty for "null".
std::string_view authority_of(std::string_view origin) {
  const std::size_t scheme = origin.find("://");
  return scheme == std::string_view::npos ? "" : origin.substr(scheme + 3);
}

HttpResponse too_busy(std::string_view what) {
  return retry_answer("busy", std::string(what) + "; ask again in a moment");
}

HttpResponse lost(LeaseState state) {
  if (state == LeaseState::cancelled) {
    return error_answer(409, "cancelled", "a client cancelled the task: stop, it is over");
  }
  return error_answer(
      Error{ErrorCode::stale_lease,
            "the lease is lost: it lapsed, or the task has ended or moved on; stop working on it"});
}

}  // namespace

// What the handlers know of a request.
struct ApiSite::Call {
  const HttpRequest& request;
  HttpConnection& connection;
  std::string_view id;    // where the path has one
  std::string body = {};  // where the route takes one
  bool lines = false;     // one JSON value a line
};

struct ApiSite::Handler {
  enum class Body { none, json, json_or_lines };
  Route route;
  HttpResponse (ApiSite::*answer)(Call&);
  Body body;
};

std::span<const ApiSite::Handler> ApiSite::handlers() {
  using Body = Handler::Body;
  static constexpr std::array<Handler, 12> kHandlers = {{
      {{"POST", "/v1/tasks", HttpAccess::change}, &ApiSite::submit, Body::json_or_lines},
      {{"GET", kTaskPath, HttpAccess::read}, &ApiSite::task, Body::none},
      {{"DELETE", kTaskPath, HttpAccess::change}, &ApiSite::cancel, Body::none},
      {{"POST", "/v1/lease", HttpAccess::change}, &ApiSite::lease, Body::none},
      {{"POST", "/v1/heartbeat", HttpAccess::change}, &ApiSite::heartbeat, Body::json},
      {{"POST", "/v1/complete", HttpAccess::change}, &ApiSite::complete, Body::json},
      {{"POST", "/v1/fail", HttpAccess::change}, &ApiSite::fail, Body::json},
      {{"POST", "/v1/queues", HttpAccess::change}, &ApiSite::control_queue, Body::json},
      {{"POST", "/v1/workers", HttpAccess::change}, &ApiSite::drain_worker, Body::json},
      {{"POST", "/v1/requeue", HttpAccess::change}, &ApiSite::requeue, Body::json},
      {{"POST", "/v1/change", HttpAccess::change}, &ApiSite::change_tasks, Body::json},
      {{"GET", "/v1/openapi.json", HttpAccess::read}, &ApiSite::document, Body::none},
  }};
  return kHandlers;
}

std::span<const ApiSite::Route> ApiSite::routes() {
  static const std::vector<Route> kRoutes = [] {
    std::vector<Route> routes;
    for (const Handler& handler : handlers()) routes.push_back(handler.route);
    return routes;
  }();
  return kRoutes;
}

ApiSite::ApiSite(TaskDoor& door, const ApiSettings& settings, HttpGate gate)
    : door_(door), gate_(std::move(gate)), polls_(settings.polls_max) {}

HttpResponse ApiSite::respond(const HttpRequest& request, HttpConnection& connection) {
  if (auto refusal = admit(request)) return *std::move(refusal);
  std::string allowed;
  for (const Handler& handler : handlers()) {
    std::string_view id;
    if (!matches(handler.route.path, request.path, id)) continue;
    if (handler.route.method == request.method) return answer(handler, request, connection);
    allowed += (allowed.empty() ? "" : ", ") + std::string(handler.route.method);
  }
  if (allowed.empty()) {
    return error_answer(404, "not_found", "no such resource; /v1/openapi.json lists all there are");
  }
  HttpResponse response = error_answer(405, "method_not_allowed", "use " + allowed + " here");
  response.headers.emplace_back("Allow", allowed);
  return response;
}

// No requests that a web page of another origin makes its visitor's browser send.
std::optional<HttpResponse> ApiSite::admit(const HttpRequest& request) const {
  const auto origins = header_values(request, "origin");
  if (origins.empty()) return std::nullopt;
  const auto hosts = header_values(request, "host");
  const bool same =
      origins.size() == 1 && hosts.size() == 1 && authority_of(origins.front()) == hosts.front();
  if (same) return std::nullopt;
  return error_answer(403, "forbidden", "requests of web pages of another origin are refused");
}

HttpResponse ApiSite::answer(const Handler& handler, const HttpRequest& request,
                             HttpConnection& connection) {
  if (auto refusal = gate_.refusal(request, handler.route.access)) return *std::move(refusal);
  Call call{request, connection, {}};
  matches(handler.route.path, request.path, call.id);
  const std::optional<std::string> wait = query_parameter(request.query, "wait");
  const bool polls = wait.has_value() && handler.body == Handler::Body::none;
  const auto share = (polls ? polls_ : calls_).take();
  if (!share) return too_busy(polls ? "too many requests wait already" : "too many requests");
  std::uint64_t bytes = 0;
  for (const std::string_view length : header_values(request, "content-length")) {
    const auto number = parse_number(length, door_.limits().frame_bytes_max.value);
    if (!number) {
      return error_answer(413, "too_large",
                          "the body is over " +
                              std::to_string(door_.limits().frame_bytes_max.value) +
                              " bytes; send several requests");
    }
    bytes = *number;
  }
  if (handler.body != Handler::Body::none) return with_body(handler, call, bytes);
  if (bytes > 0) return error_answer(400, "invalid", "send no body here");
  return (this->*handler.answer)(call);
}

HttpResponse ApiSite::with_body(const Handler& handler, Call& call, std::uint64_t bytes) {
  const std::string type = media_type(call.request);
  call.lines = handler.body == Handler::Body::json_or_lines && is_lines(type);
  if (!call.lines && type != "application/json") {
    return error_answer(415, "unsupported",
                        "send JSON and say so: curl --json, or Content-Type: application/json");
  }
  const auto room = body_bytes_.take(bytes);
  if (!room) return too_busy("too many bytes are on their way");
  Result<std::string> body = call.connection.read_body(bytes);
  if (!body) return error_answer(408, "unavailable", body.error().message);
  call.body = *std::move(body);
  return (this->*handler.answer)(call);
}

// ---- tasks --------------------------------------------------------------------------------------

HttpResponse ApiSite::submit(Call& call) {
  Result<SubmitBody> body = read_submit(call.body, call.lines, door_.limits());
  if (!body) return error_answer(body.error());
  std::string().swap(call.body);
  std::vector<SubmitOutcome> outcomes;
  std::vector<wire::TaskDescription> tasks;
  for (SubmitEntry& entry : body->entries) {
    if (!entry) {
      outcomes.push_back({TaskId(), entry.error()});
      continue;
    }
    if (entry->id.is_nil()) entry->id = door_.draw_id();
    outcomes.push_back({entry->id, SubmitStatus::accepted});
    tasks.push_back(*std::move(entry));
  }
  std::vector<Result<SubmitStatus>> answers;
  if (!tasks.empty()) answers = door_.submit(tasks);
  auto next = answers.begin();
  for (SubmitOutcome& outcome : outcomes) {
    if (outcome.status && next != answers.end()) outcome.status = *next++;
  }
  if (body->batch) return json_answer(submit_batch_json(outcomes));
  const SubmitOutcome& one = outcomes.front();
  if (one.status) {
    return json_answer(submit_json(one), *one.status == SubmitStatus::duplicate ? 200 : 202);
  }
  HttpResponse response = error_answer(one.status.error());
  response.body = submit_json(one);  // with the id, by which it can be repeated
  return response;
}

HttpResponse ApiSite::task(Call& call) {
  const Result<Duration> wait = read_wait(call.request.query);
  if (!wait) return error_answer(wait.error());
  const std::optional<TaskId> id = parse_id<TaskId>(call.id);
  if (!id) return error_answer(400, "invalid", "a task's id is a UUID");
  const Result<TaskView> view =
      door_.get(*id, *wait, [&connection = call.connection] { return connection.gone(); });
  return view ? json_answer(task_json(*view)) : error_answer(view.error());
}

HttpResponse ApiSite::cancel(Call& call) {
  const std::optional<TaskId> id = parse_id<TaskId>(call.id);
  if (!id) return error_answer(400, "invalid", "a task's id is a UUID");
  const Result<CancelAnswer> answer = door_.cancel(*id);
  if (!answer) return error_answer(answer.error());
  switch (answer->status) {
    case CancelStatus::not_found:
      return error_answer(404, "not_found",
                          "no such task: never accepted here, or forgotten since");
    case CancelStatus::already_finished:
      return error_answer(409, "already_finished",
                          "the task is " + std::string(name_of(answer->state)) + " already");
    default:
      return json_answer(cancel_json(*id, *answer));
  }
}

// ---- leases -------------------------------------------------------------------------------------

HttpResponse ApiSite::lease(Call& call) {
  const Result<LeaseRequest> wish = read_lease(call.request.query, door_.limits());
  if (!wish) return error_answer(wish.error());
  const auto leased =
      door_.lease(*wish, [&connection = call.connection] { return connection.gone(); });
  if (!leased) return error_answer(leased.error());
  if (!leased->has_value()) {
    HttpResponse nothing;
    nothing.status = 204;
    return nothing;
  }
  const HeldLease held{(*leased)->task, (*leased)->fence};
  const Result<std::string> document = lease_json(**leased, wish->lease, door_.limits());
  if (!document) {
    door_.hand_back(held);
    return error_answer(document.error());
  }
  HttpResponse response = json_answer(*document);
  response.undelivered = [&door = door_, held] { door.hand_back(held); };
  return response;
}

HttpResponse ApiSite::heartbeat(Call& call) {
  const Result<HeartbeatBody> body = read_heartbeat(call.body);
  if (!body) return error_answer(body.error());
  const Result<LeaseState> state = door_.heartbeat(body->lease, body->update);
  if (!state) return error_answer(state.error());
  if (*state != LeaseState::held) return lost(*state);
  return json_answer(lease_status_json(body->lease, "held"));
}

HttpResponse ApiSite::complete(Call& call) {
  Result<Completion> completion = read_complete(call.body, door_.limits());
  return completion ? finish(*std::move(completion)) : error_answer(completion.error());
}

HttpResponse ApiSite::fail(Call& call) {
  Result<Completion> completion = read_fail(call.body);
  return completion ? finish(*std::move(completion)) : error_answer(completion.error());
}

HttpResponse ApiSite::finish(Completion completion) {
  const HeldLease held{completion.task, completion.fence};
  const Result<LeaseState> state = door_.finish(std::move(completion));
  if (!state) return error_answer(state.error());
  if (*state != LeaseState::accepted) return lost(*state);
  return json_answer(lease_status_json(held, "accepted"));
}

// ---- control ------------------------------------------------------------------------------------

HttpResponse ApiSite::control_queue(Call& call) {
  const Result<QueueControl> control = read_queue_control(call.body, door_.limits());
  if (!control) return error_answer(control.error());
  const Result<std::uint64_t> changed = door_.control_queue(control->queue, control->action);
  return changed ? json_answer(changed_json(*changed)) : error_answer(changed.error());
}

HttpResponse ApiSite::drain_worker(Call& call) {
  const Result<std::string> worker = read_worker_drain(call.body);
  if (!worker) return error_answer(worker.error());
  const Result<std::uint64_t> changed = door_.drain_worker(*worker);
  return changed ? json_answer(changed_json(*changed)) : error_answer(changed.error());
}

HttpResponse ApiSite::requeue(Call& call) {
  const Result<TaskId> task = read_requeue(call.body);
  if (!task) return error_answer(task.error());
  const Result<std::uint64_t> changed = door_.requeue(*task);
  return changed ? json_answer(changed_json(*changed)) : error_answer(changed.error());
}

HttpResponse ApiSite::change_tasks(Call& call) {
  const Result<ChangeTasks> change = read_change(call.body, door_.limits());
  if (!change) return error_answer(change.error());
  const Result<TasksChanged> changed = door_.change_tasks(*change);
  return changed ? json_answer(step_json(*changed)) : error_answer(changed.error());
}

HttpResponse ApiSite::document(Call&) {
  return json_answer(std::string(embedded_openapi_json()));
}

}  // namespace millrace::broker
