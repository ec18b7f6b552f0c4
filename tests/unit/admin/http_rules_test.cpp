#include "broker/admin/http_rules.h"

#include <gtest/gtest.h>

namespace millrace::broker {
namespace {

TEST(HostAllowed, LiteralsAndNamesWithoutADot) {
  for (const char* host : {"127.0.0.1", "127.0.0.1:8080", "10.1.2.3:", "[::1]", "[::1]:8080",
                           "localhost", "LOCALHOST:80", "broker", "broker:8080", "my-host_1"}) {
    EXPECT_TRUE(host_allowed(host, {})) << host;
  }
}

TEST(HostAllowed, ForeignAndMalformedAreNot) {
  for (const char* host :
       {"", ":8080", "evil.example", "evil.example:8080", "1.2.3.4.evil.example", "127.0.0.1.",
        "127.0.0.1:80a", "127.0.0.1:99999", "[::1", "[::1]x", "[evil.example]", "a b",
        "localhost,evil.example", "user@localhost", "localhost/..", "::1"}) {
    EXPECT_FALSE(host_allowed(host, {})) << host;
  }
}

TEST(HostAllowed, ConfiguredNames) {
  const std::vector<std::string> allowed = {"queue.example.org", ""};
  EXPECT_TRUE(host_allowed("queue.example.org", allowed));
  EXPECT_TRUE(host_allowed("Queue.Example.ORG:8080", allowed));
  EXPECT_FALSE(host_allowed("x.queue.example.org", allowed));
  EXPECT_FALSE(host_allowed("", allowed));
}

TEST(PrefersPrometheus, AsPrometheusAsks) {
  EXPECT_TRUE(prefers_prometheus(
      "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;"
      "version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"));
  EXPECT_TRUE(prefers_prometheus("text/plain;version=0.0.4"));
  EXPECT_TRUE(prefers_prometheus("TEXT/PLAIN ; version=0.0.4 ; Q=0.1"));
  EXPECT_TRUE(prefers_prometheus("application/json;q=0.2, text/plain;q=0.9"));
}

TEST(PrefersPrometheus, OthersGetJson) {
  for (const char* accept :
       {"", "*/*", "text/*", "text/html,application/xhtml+xml,*/*;q=0.8", "application/json",
        "application/json, text/plain, */*", "text/plain;q=0", "text/plain;q=x", "text/plainer",
        ",;,=;q", "\xff"}) {
    EXPECT_FALSE(prefers_prometheus(accept)) << accept;
  }
}

TEST(QueryParameter, IsDecoded) {
  EXPECT_EQ(query_parameter("a=1&queue=big%20mail+x%2F&b=2", "queue"), "big mail x/");
  EXPECT_EQ(query_parameter("queue", "queue"), "");
  EXPECT_EQ(query_parameter("q=1&q=2", "q"), "1");
  EXPECT_EQ(query_parameter("q=%zz%4", "q"), "%zz%4");
  EXPECT_EQ(query_parameter("", "q"), std::nullopt);
  EXPECT_EQ(query_parameter("&&=&q", "r"), std::nullopt);
}

TEST(ParseNumber, DigitsOnly) {
  EXPECT_EQ(parse_number("0", 9), 0U);
  EXPECT_EQ(parse_number("18446744073709551615", UINT64_MAX), UINT64_MAX);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x1", "1e3", "18446744073709551616"}) {
    EXPECT_EQ(parse_number(text, UINT64_MAX), std::nullopt) << text;
  }
  EXPECT_EQ(parse_number("10", 9), std::nullopt);
}

}  // namespace
}  // namespace millrace::broker
