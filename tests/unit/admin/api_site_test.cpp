// The HTTP API without a socket and without a broker: every refusal, and openapi.json against it.
#include "broker/admin/api_site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "broker/admin/embedded_files.h"
#include "tests/unit/admin/fake_task_door.h"

namespace millrace::broker {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

constexpr const char* kTask = "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f";
const std::string kTaskPath = std::string("/v1/tasks/") + kTask;
const std::string kLease = std::string(R"({"task":")") + kTask + R"(","fence":1})";

class ApiSiteTest : public ::testing::Test {
 protected:
  HttpResponse ask(const std::string& method, const std::string& path, const std::string& body = "",
                   std::vector<std::pair<std::string, std::string>> headers = {}) {
    const std::size_t query = path.find('?');
    HttpRequest request{method, "1.1", path.substr(0, query), "", {{"Host", "127.0.0.1:8080"}}};
    if (query != std::string::npos) request.query = path.substr(query + 1);
    if (!body.empty()) {
      request.headers.emplace_back("Content-Length", std::to_string(body.size()));
      const bool typed = std::any_of(headers.begin(), headers.end(),
                                     [](const auto& one) { return one.first == "Content-Type"; });
      if (!typed) request.headers.emplace_back("Content-Type", "application/json");
    }
    for (auto& header : headers) request.headers.push_back(header);
    connection_.body = body;
    return site_.respond(request, connection_);
  }

  HttpResponse post(const std::string& path, const std::string& body) {
    return ask("POST", path, body);
  }

  static void expect_error(const HttpResponse& response, int status, const std::string& code,
                           const std::string& words = "") {
    EXPECT_EQ(response.status, status) << response.body;
    const Json document = Json::parse(response.body);
    EXPECT_EQ(document["error"]["code"], code);
    EXPECT_THAT(document["error"]["message"].get<std::string>(), HasSubstr(words));
  }

  static std::optional<DispatchedTask> dispatched() {
    wire::TaskDescription description;
    description.id = *parse_id<TaskId>(kTask);
    description.queue = "mail";
    description.payload = SharedBytes::copy_of("hello");
    description.headers = {{"k", "v"}};
    DispatchedTask task;
    task.task = description.id;
    task.fence = Fence(7);
    task.attempt = 2;
    task.max_attempts = 3;
    task.queue = "mail";
    task.timeout = Duration::seconds(5);
    task.spec = wire::encode_task(description).bytes;
    return task;
  }

  FakeTaskDoor door_;
  TextConnection connection_;
  ApiSite site_{door_, ApiSettings{1}, HttpGate::open_to_all()};
};

// ---- refusals -----------------------------------------------------------------------------------

TEST_F(ApiSiteTest, UnknownPathsAndMethods) {
  for (const char* path : {"/v1/", "/v1/task", "/v1/tasks/", "/v1/tasks/a/b", "/v1/lease/"}) {
    expect_error(ask("GET", path), 404, "not_found", "openapi.json");
  }
  const HttpResponse response = ask("PUT", kTaskPath);
  expect_error(response, 405, "method_not_allowed");
  EXPECT_EQ(response.headers.front().second, "GET, DELETE");
}

TEST_F(ApiSiteTest, WebPagesOfOtherOriginsAreRefusedBeforeAnythingIsRead) {
  const std::string body = R"({"queue":"q","payload":""})";
  for (const char* origin : {"http://evil.example", "null", "http://127.0.0.1:9", ""}) {
    expect_error(ask("POST", "/v1/tasks", body, {{"Origin", origin}}), 403, "forbidden");
  }
  EXPECT_EQ(connection_.reads, 0);
  EXPECT_EQ(ask("POST", "/v1/tasks", body, {{"Origin", "http://127.0.0.1:8080"}}).status, 202);
}

TEST_F(ApiSiteTest, OnlyJsonThatSaysSo) {
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "", "json"}) {
    expect_error(ask("POST", "/v1/tasks", "{}", {{"Content-Type", type}}), 415, "unsupported");
    expect_error(ask("POST", "/v1/fail", "{}", {{"Content-Type", type}}), 415, "unsupported");
  }
  expect_error(ask("POST", "/v1/fail", "{}", {{"Content-Type", "application/x-ndjson"}}), 415,
               "unsupported");
  EXPECT_EQ(
      ask("POST", "/v1/fail", kLease, {{"Content-Type", "Application/JSON; charset=utf-8"}}).status,
      200);
}

TEST_F(ApiSiteTest, BodiesOverTheBrokersLimitAreNotRead) {
  door_.peer_limits.frame_bytes_max = ByteCount(10);
  expect_error(ask("POST", "/v1/tasks", R"({"queue":"q"})"), 413, "too_large", "10 bytes");
  EXPECT_EQ(connection_.reads, 0);
}

TEST_F(ApiSiteTest, ABodyThatDoesNotComeIsAReason) {
  connection_.late = true;
  expect_error(ask("POST", "/v1/tasks", "{}"), 408, "unavailable");
}

TEST_F(ApiSiteTest, NoBodyWhereNoneBelongs) {
  expect_error(ask("POST", "/v1/lease?queue=q", "{}"), 400, "invalid", "no body");
  expect_error(ask("DELETE", kTaskPath, "{}"), 400, "invalid", "no body");
}

TEST_F(ApiSiteTest, TasksThatAreNone) {
  const std::pair<const char*, const char*> faults[] = {
      {"{", "not valid JSON"},
      {"7", "must be an object"},
      {"[]", "no task"},
      {R"({"payload":""})", "'queue' is missing"},
      {R"({"queue":"a b","payload":""})", "queue"},
      {R"({"queue":"q","payload":"","colour":1})", "unknown key"},
      {R"({"queue":"q","payload":"","payload":""})", "stands twice"},
      {R"({"queue":"q","payload":"","priority":10})", "0 to 9"}};
  for (const auto& [body, words] : faults) {
    expect_error(ask("POST", "/v1/tasks", body), 400, "invalid", words);
  }
  EXPECT_TRUE(door_.submitted.empty());
}

TEST_F(ApiSiteTest, ABatchOfTooMany) {
  door_.peer_limits.batch_items_max = 2;
  const std::string task = R"({"queue":"q","payload":""})";
  expect_error(ask("POST", "/v1/tasks", "[" + task + "," + task + "," + task + "]"), 413,
               "too_large");
  const std::string lines = task + "\n" + task + "\n\n" + task + "\n";
  expect_error(ask("POST", "/v1/tasks", lines, {{"Content-Type", "application/jsonl"}}), 413,
               "too_large");
  EXPECT_TRUE(door_.submitted.empty());
}

TEST_F(ApiSiteTest, LeaseParameters) {
  const std::pair<const char*, const char*> faults[] = {
      {"", "queue must be"},
      {"?queue=", "queue must be"},
      {"?queue=a,,b", "queue must be"},
      {"?queue=a%20b", "queue must be"},
      {"?queue=q&wait=61s", "wait must be"},
      {"?queue=q&wait=-1s", "wait must be"},
      {"?queue=q&wait=soon", "wait must be"},
      {"?queue=q&lease=10ms", "lease must be"},
      {"?queue=q&lease=2h", "lease must be"},
      {"?queue=q&worker=", "worker must be"},
      {"?queue=q&worker=%01", "worker must be"},
      {"?queue=q&wiat=1s", "unknown parameter \"wiat\""}};
  for (const auto& [query, words] : faults) {
    expect_error(ask("POST", std::string("/v1/lease") + query), 400, "invalid", words);
  }
  door_.peer_limits.worker_queues_max = 1;
  expect_error(ask("POST", "/v1/lease?queue=a,b"), 413, "too_large");
  EXPECT_TRUE(door_.leases.empty());
}

TEST_F(ApiSiteTest, WordsOfHoldersThatBreakARule) {
  const std::string start = kLease.substr(0, kLease.size() - 1);
  const std::tuple<const char*, std::string, const char*> faults[] = {
      {"/v1/heartbeat", "[]", "must be an object"},
      {"/v1/heartbeat", R"({"fence":1})", "'task' is missing"},
      {"/v1/heartbeat", std::string(R"({"task":")") + kTask + "\"}", "'fence' is missing"},
      {"/v1/heartbeat", R"({"task":"x","fence":1})", "must be a UUID"},
      {"/v1/heartbeat", start + R"(,"extend":5})", "a duration in quotes"},
      {"/v1/heartbeat", start + R"(,"extend":"4000d"})", "extend"},
      {"/v1/heartbeat", start + R"(,"progress_percent":101})", "0 to 100"},
      {"/v1/complete", start + R"(,"error":"x"})", "unknown key \"error\""},
      {"/v1/complete", start + R"(,"result":{}})", "must be a string"},
      {"/v1/complete", start + R"(,"result":"","result_base64":""})", "not both"},
      {"/v1/fail", start + R"(,"result":""})", "unknown key"},
      {"/v1/fail", start + R"(,"error":1})", "must be a string"},
      {"/v1/fail", start + R"(,"for_good":1})", "true or false"},
      {"/v1/fail", start + R"(,"for_good":true,"release":true})", "not both"}};
  for (const auto& [path, body, words] : faults) {
    expect_error(ask("POST", path, body), 400, "invalid", words);
  }
  door_.peer_limits.result_bytes_max = ByteCount(2);
  expect_error(ask("POST", "/v1/complete", start + R"(,"result":"abc"})"), 413, "too_large");
  EXPECT_TRUE(door_.completions.empty());
  EXPECT_TRUE(door_.updates.empty());
}

TEST_F(ApiSiteTest, WaitingRequestsBeyondTheirSlotsAreBusyWhileOthersAreAnswered) {
  bool inside = false;
  int inner_status = 0;
  int other_status = 0;
  door_.during_get = [&] {
    if (std::exchange(inside, true)) return;
    const HttpResponse inner = ask("GET", kTaskPath + "?wait=1s");
    inner_status = inner.status;
    EXPECT_EQ(inner.headers.front(), (std::pair<std::string, std::string>("Retry-After", "1")));
    other_status = ask("GET", kTaskPath).status;
  };
  EXPECT_EQ(ask("GET", kTaskPath + "?wait=1s").status, 200);
  EXPECT_EQ(inner_status, 503);
  EXPECT_EQ(other_status, 200);
  EXPECT_EQ(ask("GET", kTaskPath + "?wait=1s").status, 200);  // the slot is free again
}

// ---- what is done -------------------------------------------------------------------------------

TEST_F(ApiSiteTest, ATaskIsSubmittedUnderItsOwnIdOrADrawnOne) {
  const HttpResponse drawn = ask("POST", "/v1/tasks", R"({"queue":"q","payload":"a"})");
  EXPECT_EQ(drawn.status, 202);
  EXPECT_EQ(Json::parse(drawn.body)["id"], "00000000-0000-0000-0000-000000000001");
  door_.submit_answers = {SubmitStatus::duplicate};
  const HttpResponse own =
      ask("POST", "/v1/tasks", std::string(R"({"queue":"q","payload":"a","id":")") + kTask + "\"}");
  EXPECT_EQ(own.status, 200);
  EXPECT_EQ(Json::parse(own.body), (Json{{"id", kTask}, {"status", "duplicate"}}));
}

TEST_F(ApiSiteTest, AnUnansweredSubmitTellsTheIdToRepeatItWith) {
  door_.submit_answers = {Error{ErrorCode::unavailable, "no answer"}};
  const HttpResponse response = ask("POST", "/v1/tasks", R"({"queue":"q","payload":"a"})");
  expect_error(response, 503, "unavailable");
  EXPECT_EQ(Json::parse(response.body)["id"], "00000000-0000-0000-0000-000000000001");
}

TEST_F(ApiSiteTest, ABatchHasAnAnswerForEachItemInItsOrder) {
  door_.submit_answers = {SubmitStatus::accepted, Error{ErrorCode::conflict, "taken"}};
  const std::string good = R"({"queue":"q","payload":""})";
  for (const bool lines : {false, true}) {
    const HttpResponse response = lines ? ask("POST", "/v1/tasks", good + "\n\n7\n" + good,
                                              {{"Content-Type", "application/x-ndjson"}})
                                        : ask("POST", "/v1/tasks", "[" + good + ",7," + good + "]");
    EXPECT_EQ(response.status, 200);
    const Json document = Json::parse(response.body);
    EXPECT_EQ(document["accepted"], 1);
    EXPECT_EQ(document["refused"], 2);
    EXPECT_EQ(document["tasks"][0]["status"], "accepted");
    EXPECT_EQ(document["tasks"][1]["error"]["code"], "invalid");
    if (lines) {
      EXPECT_THAT(document["tasks"][1]["error"]["message"].get<std::string>(), HasSubstr("line 3"));
    }
    EXPECT_EQ(document["tasks"][2]["error"]["code"], "conflict");
  }
}

TEST_F(ApiSiteTest, ALeaseHasAllThatAWorkerNeeds) {
  door_.lease_answer = dispatched();
  const HttpResponse response =
      ask("POST", "/v1/lease?queue=mail,video&wait=2s&lease=5s&worker=me");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(Json::parse(response.body), (Json{{"task", kTask},
                                              {"fence", 7},
                                              {"queue", "mail"},
                                              {"attempt", 2},
                                              {"max_attempts", 3},
                                              {"timeout_seconds", 5.0},
                                              {"lease_seconds", 5.0},
                                              {"headers", {{"k", "v"}}},
                                              {"payload", "hello"}}));
  ASSERT_EQ(door_.leases.size(), 1U);
  EXPECT_THAT(door_.leases[0].queues, ::testing::ElementsAre("mail", "video"));
  EXPECT_EQ(door_.leases[0].worker, "me");
  EXPECT_EQ(door_.leases[0].wait, Duration::seconds(2));
  EXPECT_EQ(door_.leases[0].lease, Duration::seconds(5));
}

TEST_F(ApiSiteTest, ALeaseThatDidNotReachItsWorkerIsHandedBack) {
  door_.lease_answer = dispatched();
  const HttpResponse response = ask("POST", "/v1/lease?queue=mail");
  EXPECT_TRUE(door_.handed_back.empty());
  response.undelivered();
  EXPECT_THAT(door_.handed_back, ::testing::ElementsAre(HeldLease{dispatched()->task, Fence(7)}));
}

TEST_F(ApiSiteTest, ALeaseWhoseTaskCannotBeReadIsHandedBack) {
  door_.lease_answer = dispatched();
  (*door_.lease_answer)->spec = SharedBytes::copy_of("nonsense");
  expect_error(ask("POST", "/v1/lease?queue=mail"), 500, "corrupt");
  EXPECT_EQ(door_.handed_back.size(), 1U);
}

TEST_F(ApiSiteTest, EndsOfLeases) {
  const std::string start = kLease.substr(0, kLease.size() - 1);
  EXPECT_EQ(ask("POST", "/v1/complete", start + R"(,"result_base64":"/w=="})").status, 200);
  EXPECT_EQ(ask("POST", "/v1/fail", start + R"(,"error":"why"})").status, 200);
  EXPECT_EQ(ask("POST", "/v1/fail", start + R"(,"for_good":true})").status, 200);
  EXPECT_EQ(ask("POST", "/v1/fail", start + R"(,"release":true})").status, 200);
  ASSERT_EQ(door_.completions.size(), 4U);
  EXPECT_EQ(door_.completions[0].outcome, Outcome::succeeded);
  EXPECT_EQ(door_.completions[0].result.text(), "\xff");
  EXPECT_EQ(door_.completions[1].outcome, Outcome::failed);
  EXPECT_EQ(door_.completions[1].error, "why");
  EXPECT_EQ(door_.completions[2].outcome, Outcome::failed_for_good);
  EXPECT_EQ(door_.completions[3].outcome, Outcome::released);
}

TEST_F(ApiSiteTest, LostLeases) {
  door_.heartbeat_answer = LeaseState::stale;
  expect_error(ask("POST", "/v1/heartbeat", kLease), 409, "stale_lease");
  door_.heartbeat_answer = LeaseState::cancelled;
  expect_error(ask("POST", "/v1/heartbeat", kLease), 409, "cancelled");
  door_.finish_answer = LeaseState::stale;
  expect_error(ask("POST", "/v1/complete", kLease), 409, "stale_lease");
  expect_error(ask("POST", "/v1/fail", kLease), 409, "stale_lease");
}

TEST_F(ApiSiteTest, Cancels) {
  door_.cancel_answer = CancelAnswer{CancelStatus::cancelling, TaskState::in_progress};
  EXPECT_EQ(Json::parse(ask("DELETE", kTaskPath).body),
            (Json{{"id", kTask}, {"status", "cancelling"}, {"state", "in_progress"}}));
  door_.cancel_answer = CancelAnswer{CancelStatus::already_finished, TaskState::dead};
  expect_error(ask("DELETE", kTaskPath), 409, "already_finished", "dead");
  door_.cancel_answer = CancelAnswer{CancelStatus::not_found, TaskState::cancelled};
  expect_error(ask("DELETE", kTaskPath), 404, "not_found");
  expect_error(ask("DELETE", "/v1/tasks/7"), 400, "invalid");
}

// ---- control ------------------------------------------------------------------------------------

TEST_F(ApiSiteTest, ADeadTaskIsRequeued) {
  door_.change_answer = TasksChanged{RequestId(), 1, 0};
  const std::string id = "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f";
  EXPECT_EQ(Json::parse(post("/v1/requeue", R"({"task":")" + id + R"("})").body)["changed"], 1);
  EXPECT_EQ(to_text(door_.requeued.at(0)), id);
  for (const char* body : {R"({"task":"7"})", R"({"task":7})", R"({})", R"([])"}) {
    expect_error(post("/v1/requeue", body), 400, "invalid");
  }
  EXPECT_EQ(door_.requeued.size(), 1U);
}

TEST_F(ApiSiteTest, QueuesAndWorkersAreControlled) {
  door_.change_answer = TasksChanged{RequestId(), 1, 0};
  EXPECT_EQ(Json::parse(post("/v1/queues", R"({"queue":"a/b","action":"pause"})").body)["changed"],
            1);
  EXPECT_EQ(door_.controls.front(),
            (std::pair<std::string, QueueAction>("a/b", QueueAction::pause)));
  EXPECT_EQ(post("/v1/workers", R"({"worker":"w1","action":"drain"})").status, 200);
  EXPECT_EQ(door_.drained.front(), "w1");
  for (const char* body :
       {R"({"queue":"a b","action":"pause"})", R"({"queue":"a","action":"stop"})",
        R"({"queue":"a"})", R"({"action":"pause"})", R"([])",
        R"({"queue":"a","action":"pause","more":1})"}) {
    expect_error(post("/v1/queues", body), 400, "invalid");
  }
  expect_error(post("/v1/workers", R"({"worker":"","action":"drain"})"), 400, "invalid");
  expect_error(post("/v1/workers", R"({"worker":"w","action":"kill"})"), 400, "invalid");
  door_.change_answer = Error{ErrorCode::not_found, "there is no queue 'x'"};
  expect_error(post("/v1/queues", R"({"queue":"x","action":"resume"})"), 404, "not_found");
  expect_error(post("/v1/workers", R"({"worker":"x","action":"drain"})"), 404, "not_found");
  expect_error(post("/v1/change", R"({"action":"cancel","queue":"x"})"), 404, "not_found");
}

TEST_F(ApiSiteTest, AChangeIsReadInFull) {
  door_.change_answer = TasksChanged{RequestId(), 500, 77};
  const Json answer = Json::parse(
      post("/v1/change", R"({"action":"requeue","queue":"q","state":"dead","reason":"timed_out",
                            "priority_least":2,"priority_most":7,"limit":500,"cursor":12,
                            "accepted_after":"2026-03-01T12:30:00Z",
                            "accepted_before":"2026-03-01T12:31:00Z"})")
          .body);
  EXPECT_EQ(answer["changed"], 500);
  EXPECT_EQ(answer["next_cursor"], 77);
  const ChangeTasks& change = door_.changes.front();
  EXPECT_EQ(change.action, TaskAction::requeue);
  EXPECT_EQ(change.filter.queue, "q");
  EXPECT_EQ(change.filter.state, TaskState::dead);
  EXPECT_EQ(change.filter.reason, Reason::timed_out);
  EXPECT_EQ(change.filter.priority_least, 2);
  EXPECT_EQ(change.filter.priority_most, 7);
  EXPECT_EQ(change.filter.accepted_before - change.filter.accepted_after, Duration::minutes(1));
  EXPECT_EQ(change.limit, 500U);
  EXPECT_EQ(change.cursor, 12U);
  door_.change_answer = TasksChanged{RequestId(), 0, 0};
  EXPECT_TRUE(
      Json::parse(post("/v1/change", R"({"action":"forget"})").body)["next_cursor"].is_null());
  for (const char* body :
       {R"({})", R"({"action":"delete"})", R"({"action":"cancel","state":"x"})",
        R"({"action":"cancel","reason":7})", R"({"action":"cancel","priority_least":10})",
        R"({"action":"cancel","priority_least":5,"priority_most":4})",
        R"({"action":"cancel","accepted_before":"yesterday"})",
        R"({"action":"cancel","limit":-1})"}) {
    expect_error(post("/v1/change", body), 400, "invalid");
  }
}

// ---- openapi.json -------------------------------------------------------------------------------

TEST_F(ApiSiteTest, EveryRouteIsDocumentedAndEveryDocumentedRouteExists) {
  const Json document = Json::parse(embedded_openapi_json());
  EXPECT_EQ(ask("GET", "/v1/openapi.json").body, embedded_openapi_json());
  std::set<std::pair<std::string, std::string>> documented;
  for (const auto& [path, item] : document["paths"].items()) {
    for (const auto& [method, operation] : item.items()) {
      if (method == "parameters") continue;
      std::string upper = method;
      std::transform(upper.begin(), upper.end(), upper.begin(), ::toupper);
      documented.emplace(upper, path);
    }
  }
  std::set<std::pair<std::string, std::string>> routes;
  for (const ApiSite::Route& route : ApiSite::routes()) {
    routes.emplace(std::string(route.method), std::string(route.path));
  }
  EXPECT_EQ(routes, documented);
}

}  // namespace
}  // namespace millrace::broker
