#include "broker/admin/admin_site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "broker/admin/status_history.h"
#include "broker/admin/status_json.h"
#include "broker/admin/task_json.h"
#include "tests/unit/admin/fake_task_door.h"
#include "tests/unit/admin/fake_task_reader.h"
#include "tests/unit/admin/prometheus_parser.h"
#include "tests/unit/admin/sample_snapshot.h"

namespace millrace::broker {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kTaskId = "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f";

class AdminSiteTest : public ::testing::Test {
 protected:
  HttpResponse ask(HttpRequest request) { return site_.respond(request, connection_); }

  HttpResponse get(const std::string& path, const std::string& query = "") {
    return ask(request(path, query));
  }

  static HttpRequest request(const std::string& path, const std::string& query = "") {
    return {"GET", "1.1", path, query, {{"Host", "127.0.0.1:8080"}}};
  }

  static TaskFilter dead_of(const std::string& queue) {
    TaskFilter filter;
    filter.queue = queue;
    filter.state = TaskState::dead;
    return filter;
  }

  static std::string header(const HttpResponse& response, const std::string& name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return "";
  }

  static void expect_error(const HttpResponse& response, int status, const std::string& code) {
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_THAT(response.content_type, HasSubstr("application/json"));
    const Json document = Json::parse(response.body);
    EXPECT_EQ(document["error"]["code"], code);
    EXPECT_FALSE(document["error"]["message"].get<std::string>().empty());
  }

  StatusSnapshot snapshot_ = sample_snapshot();
  bool published_ = true;
  Time now_ = snapshot_.taken + Duration::seconds(1);
  FakeTaskReader tasks_;
  FakeTaskDoor door_;
  TextConnection connection_;
  ApiSite api_{door_, ApiSettings(), HttpGate::open_to_all()};
  AdminSite site_{
      [this] { return published_ ? std::make_shared<StatusSnapshot>(snapshot_) : nullptr; },
      [this] { return now_; },
      tasks_,
      api_,
      {"queue.example.org"},
      HttpGate::open_to_all()};
};

// ---- refusals -----------------------------------------------------------------------------------

TEST_F(AdminSiteTest, UnknownPathsAreNotFound) {
  for (const char* path : {"", "/metrics/", "/metrics.json", "//metrics", "/Metrics", "/event",
                           "/tasks/", "/tasks/a/b", "/../etc/passwd", "/dashboard.js.map", "*"}) {
    expect_error(get(path), 404, "not_found");
  }
}

TEST_F(AdminSiteTest, OtherMethodsAreNotAllowedWhereThereIsSomething) {
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", ""}) {
    HttpRequest changed = request("/metrics");
    changed.method = method;
    const HttpResponse response = ask(changed);
    expect_error(response, 405, "method_not_allowed");
    EXPECT_EQ(header(response, "Allow"), "GET, HEAD");
    changed.path = "/nothing";
    expect_error(ask(changed), 404, "not_found");
  }
}

TEST_F(AdminSiteTest, ForeignHostsAreForbidden) {
  HttpRequest foreign = request("/metrics");
  foreign.headers = {{"hOsT", "evil.example:8080"}};
  expect_error(ask(foreign), 403, "forbidden");
  foreign.headers = {{"Host", "queue.example.org"}};
  EXPECT_EQ(ask(foreign).status, 200);
  foreign.headers = {{"Host", "localhost"}, {"Host", "localhost"}};
  expect_error(ask(foreign), 400, "invalid");
}

TEST_F(AdminSiteTest, OnlyHttp10MayLeaveTheHostOut) {
  HttpRequest bare = request("/metrics");
  bare.headers.clear();
  expect_error(ask(bare), 400, "invalid");
  bare.version = "1.0";
  EXPECT_EQ(ask(bare).status, 200);
}

TEST_F(AdminSiteTest, TooMuchIsTooLarge) {
  HttpRequest large = request("/metrics");
  large.headers.emplace_back("Content-Length", "65536");
  EXPECT_EQ(ask(large).status, 200);
  for (const char* length : {"65537", "99999999999999999999999", "-1", "x"}) {
    large.headers.back().second = length;
    expect_error(ask(large), 413, "too_large");
  }
  expect_error(get("/" + std::string(AdminSite::kHeadBytesMax, 'a')), 413, "too_large");
  expect_error(get("/metrics", std::string(AdminSite::kHeadBytesMax, 'a')), 413, "too_large");
  large.headers.back() = {"X", std::string(AdminSite::kHeadBytesMax, 'a')};
  expect_error(ask(large), 413, "too_large");
}

TEST_F(AdminSiteTest, BodiesOfUnknownLengthAreRefused) {
  HttpRequest chunked = request("/metrics");
  chunked.headers.emplace_back("Transfer-Encoding", "chunked");
  expect_error(ask(chunked), 411, "invalid");
}

// ---- status -------------------------------------------------------------------------------------

TEST_F(AdminSiteTest, MetricsAreJsonUnlessPrometheusIsAskedFor) {
  HttpRequest plain = request("/metrics");
  EXPECT_EQ(ask(plain).body, metrics_json(snapshot_));
  plain.headers.emplace_back("Accept", "*/*");
  EXPECT_EQ(ask(plain).body, metrics_json(snapshot_));
  plain.headers.back().second = "text/plain;version=0.0.4";
  HttpResponse response = ask(plain);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(parse_prometheus(response.body).error, "");
  EXPECT_EQ(header(response, "Vary"), "Accept");
  plain.query = "format=json";
  EXPECT_EQ(ask(plain).body, metrics_json(snapshot_));
}

TEST_F(AdminSiteTest, FormatDecides) {
  EXPECT_EQ(parse_prometheus(get("/metrics", "format=prometheus").body).error, "");
  expect_error(get("/metrics", "format=xml"), 400, "invalid");
}

TEST_F(AdminSiteTest, WorkersAndQueuesAreTheirDocuments) {
  EXPECT_EQ(get("/workers").body, workers_json(snapshot_));
  EXPECT_EQ(get("/queues", "ignored=1").body, queues_json(snapshot_));
}

TEST_F(AdminSiteTest, BeforeTheFirstSnapshotStatusIsUnavailable) {
  published_ = false;
  for (const char* path : {"/metrics", "/workers", "/queues", "/readyz"}) {
    const HttpResponse response = get(path);
    expect_error(response, 503, "unavailable");
    EXPECT_EQ(header(response, "Retry-After"), "1");
  }
  EXPECT_EQ(get("/livez").status, 200);
}

// ---- health -------------------------------------------------------------------------------------

TEST_F(AdminSiteTest, ReadyNeedsAFreshSnapshot) {
  EXPECT_EQ(Json::parse(get("/readyz").body)["status"], "ready");
  now_ = snapshot_.taken + Duration::milliseconds(1'999);
  EXPECT_EQ(get("/readyz").status, 200);
  now_ = snapshot_.taken + Duration::milliseconds(2'000);
  expect_error(get("/readyz"), 503, "unavailable");
  EXPECT_THAT(get("/readyz").body, HasSubstr("has not reported for 2s"));
  EXPECT_EQ(get("/livez").status, 200);
  now_ = snapshot_.taken - Duration::milliseconds(1);  // taken between the two readings
  EXPECT_EQ(get("/readyz").status, 200);
}

TEST_F(AdminSiteTest, ReadyNamesEveryReason) {
  snapshot_.store_accepting = false;
  expect_error(get("/readyz"), 503, "unavailable");
  EXPECT_THAT(get("/readyz").body, HasSubstr("the store is nearly full"));
  EXPECT_THAT(get("/readyz").body, Not(HasSubstr("stopping")));
  snapshot_.stopping = true;
  EXPECT_THAT(get("/readyz").body, HasSubstr("refuses submits; the broker is stopping"));
}

// ---- tasks --------------------------------------------------------------------------------------

TEST_F(AdminSiteTest, ATaskIsAskedForByItsId) {
  TaskView task;
  task.id = *parse_id<TaskId>(kTaskId);
  task.queue = "mail";
  TaskList found;
  found.tasks = {task};
  tasks_.answer = found;
  EXPECT_EQ(get(std::string("/tasks/") + kTaskId).body, task_json(task));
  get(std::string("/tasks/") + kTaskId, "result=true");
  const std::vector<GetTasks> asked = tasks_.gets();
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0].tasks, std::vector<TaskId>{task.id});
  EXPECT_TRUE(asked[0].with_attempts);
  EXPECT_FALSE(asked[0].with_result);
  EXPECT_FALSE(asked[0].with_payload);
  EXPECT_TRUE(asked[1].with_result);
}

TEST_F(AdminSiteTest, BadIdsAreNotAskedFor) {
  for (const char* id :
       {"1", "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0", "%00", "..",
        "00000000-0000-0000-0000-000000000000", "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0g"}) {
    expect_error(get(std::string("/tasks/") + id), 400, "invalid");
  }
  EXPECT_TRUE(tasks_.gets().empty());
}

TEST_F(AdminSiteTest, UnknownTasksAreNotFound) {
  TaskList found;
  found.unknown = {*parse_id<TaskId>(kTaskId)};
  tasks_.answer = found;
  expect_error(get(std::string("/tasks/") + kTaskId), 404, "not_found");
}

TEST_F(AdminSiteTest, ErrorsOfTheReaderGetAFittingStatus) {
  const std::vector<std::pair<ErrorCode, int>> cases = {
      {ErrorCode::invalid, 400}, {ErrorCode::not_found, 404},     {ErrorCode::too_large, 413},
      {ErrorCode::busy, 503},    {ErrorCode::shutting_down, 503}, {ErrorCode::unavailable, 503},
      {ErrorCode::io, 500},      {ErrorCode::corrupt, 500},
  };
  for (const auto& [code, status] : cases) {
    tasks_.answer = Error{code, "no"};
    const HttpResponse response = get(std::string("/tasks/") + kTaskId);
    expect_error(response, status, name_of(code));
    EXPECT_EQ(header(response, "Retry-After"), status == 503 ? "1" : "");
    expect_error(get("/dlq"), status, name_of(code));
  }
}

TEST_F(AdminSiteTest, ATaskIsExplainedInJsonAndInWords) {
  Explained explained;
  explained.task.id = *parse_id<TaskId>(kTaskId);
  explained.standing = TaskStanding::no_worker;
  explained.text = "no worker serves queue gpu; first in line";
  tasks_.explained = explained;
  const std::string path = std::string("/tasks/") + kTaskId + "/explain";
  const Json document = Json::parse(get(path).body);
  EXPECT_EQ(document["standing"], "no_worker");
  EXPECT_EQ(document["text"], explained.text);
  const HttpResponse text = get(path, "format=text");
  EXPECT_EQ(text.body, explained.text + "\n");
  EXPECT_EQ(text.content_type, "text/plain; charset=utf-8");
  expect_error(get(path, "format=xml"), 400, "invalid");
  EXPECT_EQ(tasks_.explains(), std::vector<TaskId>(2, explained.task.id));
}

TEST_F(AdminSiteTest, TheHistoryOfATask) {
  Explained explained;
  explained.task.id = *parse_id<TaskId>(kTaskId);
  explained.task.accepted = Time::since_epoch(Duration::days(20'000));
  tasks_.explained = explained;
  const Json document = Json::parse(get(std::string("/tasks/") + kTaskId + "/history").body);
  EXPECT_EQ(document["history"][0]["event"], "accepted");
  EXPECT_EQ(document["history"][0]["at"], "2024-10-04T00:00:00.000Z");
}

TEST_F(AdminSiteTest, PagesOfATaskNeedATask) {
  for (const char* page : {"/explain", "/history"}) {
    tasks_.explained = Error{ErrorCode::not_found, "no task"};
    expect_error(get(std::string("/tasks/") + kTaskId + page), 404, "not_found");
    expect_error(get(std::string("/tasks/x") + page), 400, "invalid");
    expect_error(get(std::string("/tasks/") + page), 404, "not_found");
    expect_error(get(std::string("/tasks/") + kTaskId + page + "/more"), 404, "not_found");
  }
}

TEST_F(AdminSiteTest, DeadLettersArePaged) {
  TaskList page;
  page.tasks.resize(1);
  page.next_cursor = 12;
  tasks_.answer = page;
  EXPECT_EQ(get("/dlq").body, task_list_json(page));
  get("/dlq", "queue=a%2Fb&cursor=18446744073709551615&limit=1000");
  const std::vector<ListTasks> asked = tasks_.lists();
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0].filter, dead_of(""));
  EXPECT_EQ(asked[0].cursor, 0U);
  EXPECT_EQ(asked[0].limit, 100U);
  EXPECT_EQ(asked[1].filter, dead_of("a/b"));
  EXPECT_EQ(asked[1].cursor, UINT64_MAX);
  EXPECT_EQ(asked[1].limit, 1'000U);
}

TEST_F(AdminSiteTest, TasksAreListedByState) {
  EXPECT_EQ(get("/tasks", "state=in_progress&queue=mail&limit=7").status, 200);
  TaskFilter filter;
  filter.queue = "mail";
  filter.state = TaskState::in_progress;
  EXPECT_EQ(tasks_.lists().back().filter, filter);
  EXPECT_EQ(tasks_.lists().back().limit, 7U);
  EXPECT_EQ(get("/tasks").status, 200);
  EXPECT_EQ(tasks_.lists().back().filter, TaskFilter());
  expect_error(get("/tasks", "state=busy"), 400, "invalid");
}

TEST_F(AdminSiteTest, TheLastHourIsEmptyWithoutAHistory) {
  const Json document = Json::parse(get("/history").body);
  EXPECT_EQ(document["interval_seconds"], 10);
  EXPECT_TRUE(document["samples"].empty());
}

TEST_F(AdminSiteTest, TheLastHourHasItsSamples) {
  StatusRecorder recorder;
  snapshot_.history = recorder.note(snapshot_);
  const Json sample = Json::parse(get("/history").body)["samples"][0];
  EXPECT_EQ(sample["completed_tasks"], 700);
  EXPECT_EQ(sample["waiting_tasks"], 240);
  EXPECT_EQ(sample["taken_at"], "2026-03-01T12:30:00.000Z");
}

// Keeps what is written, and leaves after some of it.
class Listener : public HttpStream {
 public:
  explicit Listener(std::size_t wanted) : wanted_(wanted) {}
  bool write(std::string_view bytes) override {
    heard.emplace_back(bytes);
    return heard.size() < wanted_;
  }
  std::vector<std::string> heard;

 private:
  std::size_t wanted_;
};

TEST_F(AdminSiteTest, EventsTellTheStatus) {
  const HttpResponse response = get("/events");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/event-stream");
  Listener listener(1);
  response.stream(listener);
  ASSERT_EQ(listener.heard.size(), 1U);
  const std::string& event = listener.heard.front();
  EXPECT_TRUE(event.starts_with("data: {")) << event;
  EXPECT_TRUE(event.ends_with("}\n\n")) << event;
  const Json document = Json::parse(event.substr(6));
  EXPECT_EQ(document["metrics"]["completed_tasks"], 700);
  EXPECT_EQ(document["workers"].size(), snapshot_.workers.size());
}

TEST_F(AdminSiteTest, EventsEndWhenNobodyReadsThem) {
  const HttpResponse response = get("/events");
  connection_.peer_gone = true;
  Listener listener(100);
  response.stream(listener);
  EXPECT_TRUE(listener.heard.empty());
}

TEST_F(AdminSiteTest, EventsHaveSoManyReaders) {
  std::vector<HttpResponse> readers;
  for (std::uint32_t i = 0; i < AdminSite::kStreamsMax; ++i) readers.push_back(get("/events"));
  expect_error(get("/events"), 503, "busy");
  readers.clear();
  EXPECT_EQ(get("/events").status, 200);
}

TEST_F(AdminSiteTest, BadPagesAreInvalid) {
  for (const char* query : {"limit=0", "limit=1001", "limit=-1", "limit=", "limit=ten", "cursor=-1",
                            "cursor=", "cursor=18446744073709551616"}) {
    expect_error(get("/dlq", query), 400, "invalid");
  }
  EXPECT_TRUE(tasks_.lists().empty());
}

// ---- dashboard ----------------------------------------------------------------------------------

TEST_F(AdminSiteTest, TheDashboardIsComplete) {
  const HttpResponse page = get("/");
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_TRUE(page.body.starts_with("<!DOCTYPE html>"));
  EXPECT_TRUE(page.body.ends_with("</html>\n"));
  EXPECT_THAT(header(page, "Content-Security-Policy"), HasSubstr("default-src 'none'"));
  EXPECT_THAT(get("/dashboard.js").content_type, HasSubstr("text/javascript"));
  EXPECT_THAT(get("/dashboard.css").content_type, HasSubstr("text/css"));
  // Every module that a module asks for is served.
  for (const char* path :
       {"/dashboard.js", "/api.js", "/charts.js", "/format.js", "/overview.js", "/task_page.js"}) {
    const HttpResponse script = get(path);
    EXPECT_THAT(script.content_type, HasSubstr("text/javascript")) << path;
    static const std::regex kImport("from \"\\.(/[a-z_]+\\.js)\"");
    const auto end = std::sregex_iterator();
    for (std::sregex_iterator at(script.body.begin(), script.body.end(), kImport); at != end;
         ++at) {
      EXPECT_EQ(get((*at)[1]).status, 200) << path << " imports " << (*at)[1];
    }
  }
}

TEST_F(AdminSiteTest, TheDashboardNeedsNothingFromElsewhereAndNothingInline) {
  const std::string page = get("/").body;
  EXPECT_THAT(page, Not(HasSubstr("https:")));
  EXPECT_THAT(page, Not(HasSubstr("src=\"http")));
  EXPECT_THAT(page, Not(HasSubstr("<style")));
  EXPECT_THAT(page, Not(HasSubstr("<script>")));
  EXPECT_THAT(page, Not(HasSubstr("style=")));
  EXPECT_THAT(get("/dashboard.css").body, Not(HasSubstr("url(")));
  for (const char* path :
       {"/dashboard.js", "/api.js", "/charts.js", "/format.js", "/overview.js", "/task_page.js"}) {
    EXPECT_THAT(get(path).body, Not(HasSubstr("innerHTML"))) << path;
  }
}

}  // namespace
}  // namespace millrace::broker
