// Who may do what over HTTP: the matrix of every route, every asker and every setting, and that
// what is refused reaches nothing.
#include "broker/admin/http_gate.h"

#include <gtest/gtest.h>

#include <array>

#include "broker/admin/admin_site.h"
#include "tests/unit/admin/fake_task_door.h"
#include "tests/unit/admin/fake_task_reader.h"

namespace millrace::broker {
namespace {

const std::string kToken = "0123456789abcdef0123456789abcdef";

struct Asker {
  const char* name;
  std::string peer;
  std::vector<std::pair<std::string, std::string>> headers;
  bool has_token = false;
  bool is_here = false;
};

std::vector<Asker> askers() {
  const auto bearer = [](const std::string& token) {
    return std::pair<std::string, std::string>{"Authorization", "Bearer " + token};
  };
  return {
      {"here", "127.0.0.1", {}, false, true},
      {"here, with the token", "127.0.0.1", {bearer(kToken)}, true, true},
      {"here, with a wrong token", "127.0.0.1", {bearer(kToken + "0")}, false, true},
      {"here, with half the token", "127.0.0.1", {bearer(kToken.substr(16))}, false, true},
      {"here, with no token's name", "127.0.0.1", {bearer("")}, false, true},
      {"here, with two tokens", "127.0.0.1", {bearer(kToken), bearer(kToken)}, false, true},
      {"here, by another scheme", "127.0.0.1", {{"Authorization", "Basic " + kToken}}, false, true},
      {"there", "192.0.2.7", {}, false, false},
      {"there, with the token", "192.0.2.7", {{"authorization", "bearer " + kToken}}, true, false},
      {"there, with a wrong token", "192.0.2.7", {bearer("x")}, false, false},
      {"nowhere", "", {}, false, false},
      {"by a proxy here", "127.0.0.1", {{"X-Forwarded-For", "192.0.2.7"}}, false, false},
      {"by another proxy", "127.0.0.1", {{"Forwarded", "for=127.0.0.1"}}, false, false},
  };
}

bool expected(HttpAccess access, const Asker& asker, HttpReaders readers) {
  if (access == HttpAccess::open || asker.has_token) return true;
  if (access == HttpAccess::change) return false;
  return readers == HttpReaders::anyone || (readers == HttpReaders::loopback && asker.is_here);
}

constexpr std::array kAllReaders = {HttpReaders::loopback, HttpReaders::anyone,
                                    HttpReaders::nobody};

HttpRequest request_of(const Asker& asker, const std::string& method, const std::string& path) {
  HttpRequest request{method, "1.1", path, "", {{"Host", "127.0.0.1"}}};
  request.headers.insert(request.headers.end(), asker.headers.begin(), asker.headers.end());
  request.peer = asker.peer;
  return request;
}

void expect_unauthorized(const HttpResponse& response) {
  EXPECT_EQ(response.status, 401);
  EXPECT_NE(response.body.find("\"unauthorized\""), std::string::npos) << response.body;
  EXPECT_EQ(response.body.find(kToken), std::string::npos);
  const std::pair<std::string, std::string> challenge{"WWW-Authenticate",
                                                      "Bearer realm=\"millrace\""};
  EXPECT_NE(std::find(response.headers.begin(), response.headers.end(), challenge),
            response.headers.end());
}

TEST(HttpGate, EveryRouteOfTheApiAsksItsPrice) {
  for (const HttpReaders readers : kAllReaders) {
    for (const ApiSite::Route& route : ApiSite::routes()) {
      const bool reads = route.method == "GET";
      EXPECT_EQ(route.access, reads ? HttpAccess::read : HttpAccess::change) << route.path;
      for (const Asker& asker : askers()) {
        FakeTaskDoor door;
        TextConnection connection;
        ApiSite site(door, ApiSettings(), HttpGate(kToken, readers));
        std::string path(route.path);
        const std::size_t id = path.find("{id}");
        if (id != std::string::npos) path.replace(id, 4, "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f");
        const HttpResponse response =
            site.respond(request_of(asker, std::string(route.method), path), connection);
        if (expected(route.access, asker, readers)) {
          EXPECT_NE(response.status, 401) << asker.name << ": " << path;
          continue;
        }
        SCOPED_TRACE(std::string(asker.name) + ": " + path);
        expect_unauthorized(response);
        EXPECT_TRUE(door.submitted.empty() && door.leases.empty() && door.updates.empty() &&
                    door.completions.empty() && door.waits.empty());
      }
    }
  }
}

TEST(HttpGate, StatusPagesAreReadAndHealthIsOpen) {
  const std::vector<std::pair<std::string, HttpAccess>> pages = {
      {"/", HttpAccess::open},  // the page itself: what it shows it asks for
      {"/dashboard.js", HttpAccess::open},
      {"/events", HttpAccess::read},
      {"/history", HttpAccess::read},
      {"/tasks", HttpAccess::read},
      {"/metrics", HttpAccess::read},
      {"/workers", HttpAccess::read},
      {"/queues", HttpAccess::read},
      {"/dlq", HttpAccess::read},
      {"/tasks/0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f", HttpAccess::read},
      {"/livez", HttpAccess::open},
      {"/readyz", HttpAccess::open},
  };
  for (const HttpReaders readers : kAllReaders) {
    FakeTaskDoor door;
    FakeTaskReader tasks;
    TextConnection connection;
    const HttpGate gate(kToken, readers);
    ApiSite api(door, ApiSettings(), gate);
    const AdminSite site([] { return StatusPointer(); }, [] { return Time(); }, tasks, api, {},
                         gate);
    for (const auto& [path, access] : pages) {
      for (const Asker& asker : askers()) {
        SCOPED_TRACE(std::string(asker.name) + ": " + path);
        const HttpResponse response = site.respond(request_of(asker, "GET", path), connection);
        if (expected(access, asker, readers)) {
          EXPECT_NE(response.status, 401);
        } else {
          expect_unauthorized(response);
        }
      }
    }
  }
}

TEST(HttpGate, SecretsAreEqualOnlyAsAWhole) {
  EXPECT_TRUE(same_secret("abc", "abc"));
  EXPECT_FALSE(same_secret("abd", "abc"));
  EXPECT_FALSE(same_secret("ab", "abc"));
  EXPECT_FALSE(same_secret("abcd", "abc"));
  EXPECT_FALSE(same_secret("", "abc"));
  EXPECT_FALSE(same_secret(std::string_view("ab\0", 3), "ab"));
}

}  // namespace
}  // namespace millrace::broker
