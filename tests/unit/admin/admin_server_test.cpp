#include "broker/admin/admin_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "broker/admin/status_json.h"
#include "common/base/random.h"
#include "tests/unit/admin/fake_task_door.h"
#include "tests/unit/admin/fake_task_reader.h"
#include "tests/unit/admin/prometheus_parser.h"
#include "tests/unit/admin/raw_http.h"
#include "tests/unit/admin/sample_snapshot.h"

namespace millrace::broker {
namespace {

using ::testing::HasSubstr;

constexpr const char* kTaskId = "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f";

class AdminServerTest : public ::testing::Test {
 protected:
  void SetUp() override { server_ = start(0); }

  std::unique_ptr<AdminServer> start(std::uint16_t port) {
    AdminSettings settings;
    settings.port = port;
    settings.api.polls_max = 0;  // the threads are those of the status pages alone
    auto started = AdminServer::start(
        settings, [snapshot = snapshot_] { return snapshot; },
        [taken = snapshot_->taken] { return taken; }, tasks_, api_, HttpGate::open_to_all());
    EXPECT_TRUE(started.ok()) << (started.ok() ? "" : started.error().message);
    return started.ok() ? std::move(started).value() : nullptr;
  }

  RawResponse ask(const std::string& method, const std::string& target,
                  const std::string& more_headers = "") {
    return request(server_->port(), method, target, more_headers);
  }

  StatusPointer snapshot_ = std::make_shared<const StatusSnapshot>(sample_snapshot());
  FakeTaskReader tasks_;
  FakeTaskDoor door_;
  ApiSite api_{door_, ApiSettings(), HttpGate::open_to_all()};
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminServerTest, APortInUseIsMisconfigured) {
  AdminSettings settings;
  settings.port = server_->port();
  const auto second = AdminServer::start(
      settings, [] { return StatusPointer(); }, [] { return Time(); }, tasks_, api_,
      HttpGate::open_to_all());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::misconfigured);
  EXPECT_THAT(second.error().message, HasSubstr("127.0.0.1:" + std::to_string(server_->port())));
  EXPECT_EQ(second.error().message.find('\n'), std::string::npos);
  EXPECT_EQ(ask("GET", "/livez").status, 200);
}

TEST_F(AdminServerTest, AnUnusableHostIsMisconfigured) {
  AdminSettings settings;
  settings.host = "192.0.2.1";  // TEST-NET-1: nobody's address
  settings.port = 0;
  const auto started = AdminServer::start(
      settings, [] { return StatusPointer(); }, [] { return Time(); }, tasks_, api_,
      HttpGate::open_to_all());
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, ErrorCode::misconfigured);
}

TEST_F(AdminServerTest, ServesEveryRoute) {
  TaskList found;
  found.tasks.resize(1);
  tasks_.answer = found;
  for (const std::string path : {"/", "/dashboard.css", "/dashboard.js", "/metrics", "/workers",
                                 "/queues", "/dlq", "/livez", "/readyz"}) {
    EXPECT_EQ(ask("GET", path).status, 200) << path;
  }
  EXPECT_EQ(ask("GET", std::string("/tasks/") + kTaskId).status, 200);
  EXPECT_EQ(ask("GET", "/metrics").body, metrics_json(*snapshot_));
}

TEST_F(AdminServerTest, PrometheusGetsItsFormat) {
  const RawResponse response =
      ask("GET", "/metrics",
          "Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,"
          "*/*;q=0.2\r\n");
  EXPECT_EQ(response.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(parse_prometheus(response.body).error, "");
  EXPECT_EQ(parse_prometheus(ask("GET", "/metrics?format=prometheus").body).error, "");
}

TEST_F(AdminServerTest, HeadIsGetWithoutTheBody) {
  for (const std::string path : {"/metrics", "/", "/nothing"}) {
    const RawResponse get = ask("GET", path);
    const RawResponse head = ask("HEAD", path);
    EXPECT_EQ(head.status, get.status);
    EXPECT_EQ(head.body, "");
    EXPECT_EQ(head.headers.at("content-length"), std::to_string(get.body.size()));
    EXPECT_EQ(head.headers.at("content-type"), get.headers.at("content-type"));
  }
}

TEST_F(AdminServerTest, EveryAnswerHasTheSecurityHeaders) {
  for (const std::string path : {"/metrics", "/", "/nothing"}) {
    const RawResponse response = ask("GET", path);
    EXPECT_EQ(response.headers.at("x-content-type-options"), "nosniff");
    EXPECT_EQ(response.headers.at("cache-control"), "no-store");
    EXPECT_EQ(response.headers.at("cross-origin-resource-policy"), "same-origin");
    EXPECT_EQ(response.headers.at("referrer-policy"), "no-referrer");
    EXPECT_THAT(response.headers.at("content-security-policy"),
                HasSubstr("frame-ancestors 'none'"));
    EXPECT_EQ(response.headers.at("connection"), "close");
    EXPECT_TRUE(response.headers.at("date").ends_with(" GMT"));
    EXPECT_FALSE(response.headers.contains("access-control-allow-origin"));
  }
}

TEST_F(AdminServerTest, RefusesWhatItShould) {
  EXPECT_EQ(ask("GET", "/nothing").status, 404);
  EXPECT_EQ(ask("GET", "/metrics/extra").status, 404);
  EXPECT_EQ(ask("GET", "//metrics").status, 404);
  EXPECT_EQ(ask("GET", "/%6detrics").status, 404);
  EXPECT_EQ(ask("GET", "/a/../metrics").status, 404);
  EXPECT_EQ(ask("GET", "/tasks/1").status, 400);
  EXPECT_EQ(ask("POST", "/metrics", "Content-Length: 70000\r\n").status, 413);
  EXPECT_EQ(ask("POST", "/metrics", "Transfer-Encoding: chunked\r\n").status, 411);
  EXPECT_EQ(ask("GET", "/" + std::string(20'000, 'a')).status, 413);
  EXPECT_EQ(ask("GET", "/metrics", "X: " + std::string(20'000, 'a') + "\r\n").status, 413);
  const RawResponse post = ask("POST", "/metrics", "Content-Length: 0\r\n");
  EXPECT_EQ(post.status, 405);
  EXPECT_EQ(post.headers.at("allow"), "GET, HEAD");
}

TEST_F(AdminServerTest, WebPagesOfOtherOriginsGetNothing) {
  const std::uint16_t port = server_->port();
  const RawResponse rebound =
      parse_response(round_trip(port, "GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n"));
  EXPECT_EQ(rebound.status, 403);
  const RawResponse preflight = ask("OPTIONS", "/metrics",
                                    "Origin: http://evil.example\r\n"
                                    "Access-Control-Request-Method: POST\r\n");
  EXPECT_EQ(preflight.status, 405);
  EXPECT_FALSE(preflight.headers.contains("access-control-allow-origin"));
  EXPECT_FALSE(preflight.headers.contains("access-control-allow-methods"));
}

TEST_F(AdminServerTest, UnreadableRequestsGetAJsonError) {
  const std::uint16_t port = server_->port();
  for (const std::string bytes :
       {"nonsense\r\n\r\n", "GET /metrics\r\n\r\n", "BREW /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nno colon\r\n\r\n", "GET /metrics HTTP/7.0\r\nHost: a\r\n\r\n"}) {
    const RawResponse response = parse_response(round_trip(port, bytes));
    EXPECT_GE(response.status, 400) << bytes;
    EXPECT_THAT(response.body, HasSubstr("\"error\"")) << bytes;
  }
}

TEST_F(AdminServerTest, SurvivesGarbage) {
  Random random(7);
  const std::uint16_t port = server_->port();
  const std::string good = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n";
  for (int round = 0; round < 200; ++round) {
    std::string bytes = good;
    for (std::uint64_t changes = 1 + random.below(8); changes > 0; --changes) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    }
    if (random.chance(1, 4)) bytes.resize(random.below(bytes.size()));
    RawConnection connection(port);
    ASSERT_TRUE(connection.connected());
    connection.send(bytes);
    connection.finish_sending();
    connection.read_all();
  }
  round_trip(port, std::string(200'000, '\xff'));
  round_trip(port, "GET " + std::string(100'000, '/') + " HTTP/1.1\r\n\r\n");
  EXPECT_EQ(ask("GET", "/metrics").body, metrics_json(*snapshot_));
}

TEST_F(AdminServerTest, AnswersFiftyAtOnce) {
  std::atomic<int> right{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 50; ++i) {
    clients.emplace_back([&, i] {
      const bool status = i % 2 == 0;
      const RawResponse response = ask("GET", status ? "/metrics" : "/dlq");
      if (response.status == 200 && (!status || response.body == metrics_json(*snapshot_))) ++right;
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(right, 50);
  EXPECT_EQ(tasks_.lists().size(), 25U);
}

TEST_F(AdminServerTest, SilentConnectionsDoNotKeepOthersOut) {
  std::vector<std::unique_ptr<RawConnection>> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(std::make_unique<RawConnection>(server_->port()));
    silent.back()->send("GET /me");
  }
  EXPECT_EQ(ask("GET", "/metrics").status, 200);
}

TEST_F(AdminServerTest, LargeAnswersArriveWhole) {
  TaskList found;
  found.tasks.resize(1);
  found.tasks[0].result = SharedBytes::copy_of(std::string(1 << 20, 'x'));
  tasks_.answer = found;
  const RawResponse response = ask("GET", std::string("/tasks/") + kTaskId + "?result=true");
  EXPECT_EQ(response.headers.at("content-length"), std::to_string(response.body.size()));
  EXPECT_GT(response.body.size(), std::size_t{1} << 20);
}

TEST_F(AdminServerTest, StopsWithConnectionsOpenAndFreesThePort) {
  const std::uint16_t port = server_->port();
  RawConnection silent(port);
  RawConnection half(port);
  half.send("GET /met");
  EXPECT_EQ(ask("GET", "/livez").status, 200);  // so both of them are accepted: they came before it
  server_->stop();
  server_->stop();
  EXPECT_FALSE(RawConnection(port).connected());
  EXPECT_EQ(half.read_all(), "");
  server_.reset();
  server_ = start(port);
  ASSERT_NE(server_, nullptr);
  EXPECT_EQ(ask("GET", "/livez").status, 200);
}

}  // namespace
}  // namespace millrace::broker
