#include "broker/admin/task_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace millrace::broker {
namespace {

using Json = nlohmann::ordered_json;

TaskView sample_task() {
  TaskView task;
  task.id = *parse_id<TaskId>("0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f");
  task.sequence = TaskSequence(17);
  task.queue = "mail";
  task.state = TaskState::dead;
  task.reason = Reason::timed_out;
  task.priority = 4;
  task.attempts = 2;
  task.max_attempts = 3;
  task.fence = Fence((std::uint64_t{1} << 53) + 1);
  task.timeout = Duration::milliseconds(1'500);
  task.accepted = Time::since_epoch(Duration::seconds(1'772'368'200));
  task.ended = task.accepted + Duration::milliseconds(250);
  task.error = "no answer";
  task.payload_bytes = ByteCount(12);
  return task;
}

TEST(TaskJson, IsThis) {
  EXPECT_EQ(Json::parse(task_json(sample_task())), Json::parse(R"({
    "id": "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f", "queue": "mail", "state": "dead",
    "reason": "timed_out", "attempts": 2, "max_attempts": 3, "priority": 4, "worker": "",
    "progress_percent": 0, "cancel_requested": false, "error": "no answer",
    "accepted_at": "2026-03-01T12:30:00.000Z", "due_at": null, "expires_at": null,
    "ended_at": "2026-03-01T12:30:00.250Z", "timeout_seconds": 1.5, "payload_bytes": 12,
    "result_bytes": 0, "sequence": 17, "fence": "9007199254740993"})"));
}

TEST(TaskJson, ResultIsTextWhereItCanBe) {
  TaskView task = sample_task();
  task.result = SharedBytes::copy_of("gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(Json::parse(task_json(task))["result"], "gr\xc3\xbc\xc3\x9f");
}

TEST(TaskJson, OtherResultsAreBase64) {
  TaskView task = sample_task();
  const auto encoded = [&](std::string_view bytes) {
    task.result = SharedBytes::copy_of(bytes);
    const Json document = Json::parse(task_json(task));
    EXPECT_FALSE(document.contains("result"));
    return document["result_base64"].get<std::string>();
  };
  EXPECT_EQ(encoded("\xff"), "/w==");
  EXPECT_EQ(encoded("\xff\xfe"), "//4=");
  EXPECT_EQ(encoded("\xff\xfe\xfd"), "//79");
  EXPECT_EQ(encoded("\xffhello"), "/2hlbGxv");
}

TEST(TaskJson, AttemptsAreListed) {
  TaskView task = sample_task();
  task.attempt_records = {
      {1, Fence(4), Reason::crashed, task.accepted, task.ended, "w\xff", "died"}};
  EXPECT_EQ(Json::parse(task_json(task))["attempt_records"], Json::parse(R"([
    {"attempt": 1, "fence": 4, "reason": "crashed", "started_at": "2026-03-01T12:30:00.000Z",
     "ended_at": "2026-03-01T12:30:00.250Z", "worker": "w\ufffd", "error": "died"}])"));
}

TEST(TaskListJson, CarriesTheCursorUntilTheEnd) {
  TaskList list;
  EXPECT_EQ(Json::parse(task_list_json(list)),
            Json::parse(R"({"tasks": [], "next_cursor": null})"));
  list.tasks = {sample_task()};
  list.next_cursor = 9;
  const Json document = Json::parse(task_list_json(list));
  EXPECT_EQ(document["tasks"][0], Json::parse(task_json(list.tasks[0])));
  EXPECT_EQ(document["next_cursor"], 9);
}

TEST(ErrorJson, IsThis) {
  EXPECT_EQ(Json::parse(error_json("invalid", "say \"please\"")),
            Json::parse(R"({"error": {"code": "invalid", "message": "say \"please\""}})"));
}

}  // namespace
}  // namespace millrace::broker
