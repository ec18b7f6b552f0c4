// Tasks as JSON: what is taken, and the words for each fault.
#include "common/json/task_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::json {
namespace {

using ::testing::HasSubstr;

wire::TaskDescription defaults() {
  wire::TaskDescription task;
  task.queue = "q";
  task.priority = 6;
  task.headers = {{"team", "a"}};
  return task;
}

wire::TaskDescription parsed(const std::string& line) {
  wire::TaskDescription task = defaults();
  const auto problem = read_task_line(line, QueueKey::unknown, PeerLimits(), task);
  EXPECT_FALSE(problem.has_value()) << line << ": " << (problem ? problem->message : "");
  return task;
}

Problem refused(const std::string& line) {
  wire::TaskDescription task = defaults();
  const auto problem = read_task_line(line, QueueKey::unknown, PeerLimits(), task);
  EXPECT_TRUE(problem.has_value()) << line << " was taken";
  return problem.value_or(Problem());
}

TEST(TaskFields, AllKeys) {
  const wire::TaskDescription task = parsed(
      R"({"payload":"héllo","id":"0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f","priority":9,)"
      R"("delay":"1s","not_before":"2026-03-01T12:30:00Z","ttl":"5m","timeout":"30s",)"
      R"("max_attempts":7,"backoff":{"initial":"2s","max":"1m"},"headers":{"k":"v","team":"b"},)"
      R"("retention":"2h"})");
  EXPECT_EQ(task.payload.text(), "héllo");
  EXPECT_EQ(to_text(task.id), "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f");
  EXPECT_EQ(task.priority, 9);
  EXPECT_EQ(task.delay, Duration::seconds(1));
  EXPECT_EQ(to_rfc3339(task.not_before), "2026-03-01T12:30:00.000Z");
  EXPECT_EQ(task.ttl, Duration::minutes(5));
  EXPECT_EQ(task.timeout, Duration::seconds(30));
  EXPECT_EQ(task.max_attempts, 7);
  EXPECT_EQ(task.backoff, (Backoff{Duration::seconds(2), Duration::minutes(1)}));
  EXPECT_EQ(task.retention, Duration::hours(2));
  const std::vector<std::pair<std::string, std::string>> headers = {{"team", "b"}, {"k", "v"}};
  EXPECT_EQ(task.headers, headers);
}

TEST(TaskFields, DefaultsHoldWhereTheLineIsSilent) {
  const wire::TaskDescription task = parsed(R"({"payload":""})");
  EXPECT_EQ(task.priority, 6);
  EXPECT_EQ(task.headers, defaults().headers);
  EXPECT_TRUE(task.id.is_nil());
  EXPECT_TRUE(task.payload.empty());
}

TEST(TaskFields, Base64Payload) {
  EXPECT_EQ(parsed(R"({"payload_base64":"AP8="})").payload.text(), std::string("\0\xff", 2));
}

TEST(TaskFields, BackoffAsOneDurationRaisesTheMaximum) {
  const Backoff backoff = parsed(R"({"payload":"","backoff":"10m"})").backoff;
  EXPECT_EQ(backoff, (Backoff{Duration::minutes(10), Duration::minutes(10)}));
}

TEST(TaskFields, TheMaximumOfABackoffIsRaisedOnlyWhereItIsNotGiven) {
  const Backoff raised = parsed(R"({"payload":"","backoff":{"initial":"10m"}})").backoff;
  EXPECT_EQ(raised, (Backoff{Duration::minutes(10), Duration::minutes(10)}));
  const Backoff given = parsed(R"({"payload":"","backoff":{"max":"2s"}})").backoff;
  EXPECT_EQ(given, (Backoff{defaults().backoff.initial, Duration::seconds(2)}));
}

TEST(TaskFields, AnErrorLineIsShortAndPrintable) {
  const std::string token = "\"\x7f" + std::string(200, 'x') + "é\\q";
  const Problem problem = refused("{\"payload\": " + token);
  EXPECT_LT(problem.message.size(), 200U);
  EXPECT_THAT(problem.message, HasSubstr("?xx"));
  for (const char c : refused("{\"é\x7f\": nope}").message) EXPECT_TRUE(c >= 0x20 && c <= 0x7e);
  const std::string line = R"({"payload":"","priority":")" + std::string(200, 'x') + "\"}";
  EXPECT_THAT(refused(line).message, HasSubstr("xxx...; it must be"));
}

TEST(TaskFields, SyntaxErrorHasItsColumn) {
  const Problem problem = refused(R"({"payload": nope})");
  EXPECT_EQ(problem.column, 14U);
  EXPECT_THAT(problem.message, HasSubstr("not valid JSON"));
}

TEST(TaskFields, PriorityOutOfRange) {
  EXPECT_EQ(refused(R"({"payload":"","priority":12})").message,
            "'priority' is 12; it must be 0 to 9");
  EXPECT_EQ(refused(R"({"payload":"","priority":-1})").message,
            "'priority' is -1; it must be 0 to 9");
  EXPECT_EQ(refused(R"({"payload":"","priority":18446744073709551615})").message,
            "'priority' is 18446744073709551615; it must be 0 to 9");
}

struct Fault {
  const char* line;
  const char* words;
};

class TaskLineFault : public ::testing::TestWithParam<Fault> {};

TEST_P(TaskLineFault, IsSaid) {
  EXPECT_THAT(refused(GetParam().line).message, HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Each, TaskLineFault,
    ::testing::Values(
        Fault{"", "not valid JSON"}, Fault{"{\"payload\":\"\xff\"}", "not valid JSON"},
        Fault{R"({"payload":"a"} x)", "not valid JSON"}, Fault{"[]", "is a list"},
        Fault{"7", "the line is 7; it must be an object"},
        Fault{R"({"payload":"a","payload":"b"})", R"("payload" stands twice)"},
        Fault{R"({"payload":"","headers":{"a":"1","a":"2"}})", R"("a" stands twice)"},
        Fault{R"({"payload":"","paylod":1})", R"(unknown key "paylod"; known are payload,)"},
        Fault{"{}", "'payload' (or 'payload_base64') is missing"},
        Fault{R"({"payload":"","payload_base64":""})", "not both"},
        Fault{R"({"payload":{}})", "'payload' is an object; it must be a string"},
        Fault{R"({"payload_base64":"A"})", "base64"},
        Fault{R"({"payload_base64":"AA=="  ,"id":"x"})", "must be a UUID"},
        Fault{R"({"payload":"","id":"00000000-0000-0000-0000-000000000000"})", "must be a UUID"},
        Fault{R"({"payload":"","priority":4.0})", "a whole number"},
        Fault{R"({"payload":"","priority":"4"})", "a whole number"},
        Fault{R"({"payload":"","max_attempts":0})", "1 to 1000"},
        Fault{R"({"payload":"","delay":5})", "a duration in quotes"},
        Fault{R"({"payload":"","ttl":"5 parsecs"})", "must be a duration"},
        Fault{R"({"payload":"","not_before":"noon"})", "2026-03-01T12:30:00Z"},
        Fault{R"({"payload":"","not_before":5})", "2026-03-01T12:30:00Z"},
        Fault{R"({"payload":"","priority":1e999})", "not usable JSON"},
        Fault{R"({"payload":"","backoff":[]})", "'backoff' is a list"},
        Fault{R"({"payload":"","backoff":{"min":"1s"}})", "unknown key \"min\""},
        Fault{R"({"payload":"","backoff":{"initial":"2m","max":"1s"}})", "backoff"},
        Fault{R"({"payload":"","headers":[]})", "an object of strings"},
        Fault{R"({"payload":"","headers":{"a":1}})", "'headers.a' is 1"},
        Fault{R"({"payload":[[[[[[[[[[1]]]]]]]]]]})", "levels deep"}));

TEST(TaskFields, TheQueueIsAKeyOnlyWhereItIsNotToldElsewhere) {
  const std::string line = R"({"queue":"mail","payload":""})";
  EXPECT_THAT(refused(line).message, HasSubstr("unknown key \"queue\"; known are payload,"));
  wire::TaskDescription task;
  EXPECT_FALSE(read_task_line(line, QueueKey::required, PeerLimits(), task).has_value());
  EXPECT_EQ(task.queue, "mail");
  const std::pair<const char*, const char*> faults[] = {
      {R"({"payload":""})", "'queue' is missing"},
      {R"({"payload":"","queue":7})", "'queue' is 7; it must be the name of a queue"},
      {R"({"payload":"","queue":"a b"})", "queue"}};
  for (const auto& [text, words] : faults) {
    const auto problem = read_task_line(text, QueueKey::required, PeerLimits(), task);
    ASSERT_TRUE(problem.has_value()) << text;
    EXPECT_THAT(problem->message, HasSubstr(words));
  }
}

TEST(TaskFields, ADocumentOfTooManyValuesIsRefusedWithoutKeepingThem) {
  std::string text = "[0";
  for (int i = 0; i < 1'000'000; ++i) text += ",0";
  nlohmann::json value;
  const auto problem = parse_strict(text + "]", value);
  ASSERT_TRUE(problem.has_value());
  EXPECT_THAT(problem->message, HasSubstr("more than a million values"));
}

TEST(TaskFields, APayloadOverTheLimitIsRefused) {
  PeerLimits limits;
  limits.payload_bytes_max = ByteCount(3);
  wire::TaskDescription task = defaults();
  const auto problem = read_task_line(R"({"payload":"1234"})", QueueKey::unknown, limits, task);
  ASSERT_TRUE(problem.has_value());
  EXPECT_THAT(problem->message, HasSubstr("4 bytes"));
}

}  // namespace
}  // namespace millrace::json
