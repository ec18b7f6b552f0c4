// Any request to the admin site: the answer is one of its documents or a readable error, whatever
// the tasks, queues and workers it speaks of are called.
#include <nlohmann/json.hpp>

#include <algorithm>

#include "broker/admin/admin_site.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/property.h"
#include "tests/unit/admin/fake_task_door.h"
#include "tests/unit/admin/fake_task_reader.h"
#include "tests/unit/admin/prometheus_parser.h"
#include "tests/unit/admin/sample_snapshot.h"

namespace millrace::fuzz {
namespace {

using broker::HttpRequest;
using broker::HttpResponse;

std::string_view take_until(std::string_view& text, char end) {
  const std::size_t at = std::min(text.find(end), text.size());
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return taken;
}

// "METHOD path?query version", then a header a line; behind an empty line, the body.
HttpRequest request_of(std::string_view& text) {
  std::string_view line = take_until(text, '\n');
  HttpRequest request;
  request.method = take_until(line, ' ');
  std::string_view target = take_until(line, ' ');
  request.path = take_until(target, '?');
  request.query = target;
  request.version = line;
  while (!text.empty()) {
    std::string_view value = take_until(text, '\n');
    if (value.empty()) break;
    const std::string_view name = take_until(value, ':');
    request.headers.emplace_back(name, value);
  }
  return request;
}

// What a core would let into its status.
std::string name_or(const std::string& text, const char* otherwise) {
  const bool fine = !text.empty() && is_utf8(text) && !has_control_characters(text);
  return fine ? text : otherwise;
}

broker::StatusPointer snapshot_with(const std::string& name) {
  auto snapshot = std::make_shared<broker::StatusSnapshot>(broker::sample_snapshot());
  snapshot->workers[0].name = name;
  snapshot->workers[1].version = name;
  snapshot->workers[2].queues = {name};
  snapshot->queues[0].name = name;
  return snapshot;
}

// A task with texts of any bytes: results and errors are the users' own.
Result<TaskList> any_answer(Input& input) {
  const std::size_t choice = input.below(4);
  if (choice == 0) return TaskList{};
  if (choice == 1) {
    return Error{static_cast<ErrorCode>(1 + input.below(14)), "the line of an error"};
  }
  TaskList list;
  TaskView view;
  view.id.bytes[0] = 1;
  view.queue = "mail";
  view.state = static_cast<TaskState>(1 + input.below(kTaskStates));
  view.accepted = Time::since_epoch(input.duration());
  view.ended = Time::since_epoch(input.duration());
  view.error = input.text();
  view.worker = input.text();
  view.result = SharedBytes::copy_of(input.text());
  AttemptRecord attempt;
  attempt.error = input.text();
  attempt.started = Time::since_epoch(input.duration());
  view.attempt_records = {attempt};
  list.tasks = {view, view};
  list.next_cursor = input.number();
  return list;
}

void check(const HttpRequest& request, const HttpResponse& response) {
  static constexpr std::array<int, 14> kStatuses = {200, 202, 204, 400, 403, 404, 405,
                                                    408, 409, 411, 413, 415, 500, 503};
  require(std::find(kStatuses.begin(), kStatuses.end(), response.status) != kStatuses.end(),
          "the status is one of those documented", std::to_string(response.status));
  const bool empty = response.body.empty() && response.content_type.empty();
  require(empty == (response.status == 204), "an answer has a body");
  for (const auto& [name, value] : response.headers) {
    require(!has_control_characters(name + value), "a header is one line", name + value);
  }
  if (response.content_type.find("json") != std::string::npos) {
    require(nlohmann::json::accept(response.body), "a JSON document is one", response.body);
  } else if (request.path == "/metrics") {
    const auto document = broker::parse_prometheus(response.body);
    require(document.error.empty(), "Prometheus can read the metrics", document.error);
  }
  if (request.path.starts_with(broker::ApiSite::kPrefix)) return;
  const bool reads = request.method == "GET" || request.method == "HEAD";
  require(reads || response.status != 200, "what changes something is refused", request.method);
}

void run(Input& input) {
  broker::FakeTaskReader tasks;
  tasks.answer = any_answer(input);
  const std::string name = name_or(input.text(), "east");
  const broker::StatusPointer status = input.below(8) == 7 ? nullptr : snapshot_with(name);
  broker::FakeTaskDoor door;
  broker::ApiSite api(door, {}, broker::HttpGate::open_to_all());
  const broker::AdminSite site([&status] { return status; },
                               [] { return Time::since_epoch(Duration::days(20'000)); }, tasks, api,
                               {"millrace.example"}, broker::HttpGate::open_to_all());
  const auto rest = input.rest();
  std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
  const HttpRequest request = request_of(text);
  broker::TextConnection connection;
  connection.body = text;
  connection.any_length = true;
  check(request, site.respond(request, connection));
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  millrace::fuzz::Input input({data, size});
  millrace::fuzz::run(input);
  return 0;
}
