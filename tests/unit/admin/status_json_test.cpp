#include "broker/admin/status_json.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "tests/unit/admin/sample_snapshot.h"

namespace millrace::broker {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& item : object.items()) keys.push_back(item.key());
  return keys;
}

// Every number in `document` is finite: the library writes null for what is not.
void expect_no_null(const Json& document) {
  const Json flat = document.flatten();
  for (const auto& item : flat.items()) {
    EXPECT_FALSE(item.value().is_null()) << item.key();
  }
}

TEST(MetricsJson, BaselineKeysComeFirstAndExactly) {
  const Json metrics = Json::parse(metrics_json(sample_snapshot()));
  std::vector<std::string> keys = keys_of(metrics);
  keys.resize(7);
  EXPECT_EQ(keys, (std::vector<std::string>{"uptime_seconds", "pending_tasks", "in_progress_tasks",
                                            "completed_tasks", "connected_workers", "idle_workers",
                                            "total_retries"}));
  EXPECT_EQ(metrics["uptime_seconds"], 90.5);
  EXPECT_EQ(metrics["pending_tasks"], 200);
  EXPECT_EQ(metrics["in_progress_tasks"], 27);
  EXPECT_EQ(metrics["completed_tasks"], 700);  // also those pruned since
  EXPECT_EQ(metrics["connected_workers"], 3);  // not the unreachable one
  EXPECT_EQ(metrics["idle_workers"], 1);
  EXPECT_EQ(metrics["total_retries"], 41);
}

TEST(MetricsJson, OursFollow) {
  const Json metrics = Json::parse(metrics_json(sample_snapshot()));
  const Json expected = Json::parse(R"({
    "submitted_tasks": 1000, "delayed_tasks": 40, "dead_tasks": 10, "cancelled_tasks": 12,
    "expired_tasks": 11, "pruned_tasks": 90, "retained_bytes": 123456,
    "dead_lettered_total": 13, "requeued_total": 3, "lease_losses_total": 5, "timeouts_total": 6,
    "busy_workers": 1, "draining_workers": 1, "unreachable_workers": 1, "slots": 12,
    "busy_slots": 8, "connected_clients": 14, "watches": 15, "loop_lag_seconds": 0.002,
    "loop_stalls_total": 1, "invariant_violations_total": 0, "stale_leases_total": 21,
    "duplicate_submits_total": 22, "refused_submits_total": 23, "bad_messages_total": 24,
    "unknown_beats_total": 25, "dropped_sends_total": 26, "store_accepting": true,
    "stopping": false, "epoch": 3, "version": "0.1.0", "taken_at": "2026-03-01T12:30:00.000Z",
    "store": {"accepting": true, "commits_total": 50, "batches_total": 60, "writes_total": 70,
              "commit_seconds_total": 0.08, "commit_max_seconds": 0.009, "used_bytes": 256,
              "size_bytes": 1024, "used_ratio": 0.25, "disk_free_bytes": 4096}
  })");
  for (const auto& item : expected.items()) {
    EXPECT_EQ(metrics[item.key()], item.value()) << item.key();
  }
  // (20 + 4 + 20) s of handlers in 3 * 4 slots * 10 s; the unreachable worker is left out.
  EXPECT_NEAR(metrics["utilisation"].get<double>(), 44.0 / 120.0, 1e-9);
}

TEST(MetricsJson, TheBooksCanBeCheckedFromTheDocument) {
  const Json metrics = Json::parse(metrics_json(sample_snapshot()));
  std::uint64_t sum = metrics["pruned_tasks"].get<std::uint64_t>();
  for (const auto& item : metrics["tasks_by_state"].items()) {
    sum += item.value().get<std::uint64_t>();
  }
  EXPECT_EQ(metrics["tasks_by_state"].size(), kAllTaskStates.size());
  EXPECT_EQ(sum, metrics["submitted_tasks"].get<std::uint64_t>());
}

TEST(MetricsJson, LatenciesAreInSeconds) {
  const Json latencies = Json::parse(metrics_json(sample_snapshot()))["latencies"];
  EXPECT_EQ(keys_of(latencies), (std::vector<std::string>{"queue_wait", "run_time", "commit"}));
  EXPECT_EQ(latencies["queue_wait"]["count"], 100);
  EXPECT_DOUBLE_EQ(latencies["queue_wait"]["mean_seconds"].get<double>(), 0.001024);
  EXPECT_DOUBLE_EQ(latencies["queue_wait"]["p50_seconds"].get<double>(), 0.000768);
  EXPECT_GT(latencies["run_time"]["p99_seconds"].get<double>(), 1.0);
  EXPECT_EQ(keys_of(latencies["commit"]),
            (std::vector<std::string>{"count", "mean_seconds", "p50_seconds", "p90_seconds",
                                      "p99_seconds"}));
}

TEST(MetricsJson, AnEmptyBrokerHasEveryKeyAndNoBadNumber) {
  StatusSnapshot empty;
  empty.taken = Time::since_epoch(Duration::seconds(1));
  const Json metrics = Json::parse(metrics_json(empty));
  EXPECT_EQ(keys_of(metrics), keys_of(Json::parse(metrics_json(sample_snapshot()))));
  EXPECT_TRUE(metrics["queues"].empty());
  Json numbers = metrics;
  numbers.erase("queues");
  expect_no_null(numbers);
}

TEST(MetricsJson, LargeCountersStayNumbersAndLargeIdsBecomeText) {
  StatusSnapshot snapshot = sample_snapshot();
  snapshot.totals.accepted = std::numeric_limits<std::uint64_t>::max();
  snapshot.epoch = Epoch((std::uint64_t{1} << 53) - 1);
  Json metrics = Json::parse(metrics_json(snapshot));
  EXPECT_EQ(metrics["submitted_tasks"], std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(metrics["epoch"], 9007199254740991);
  snapshot.epoch = snapshot.epoch.next();
  metrics = Json::parse(metrics_json(snapshot));
  EXPECT_EQ(metrics["epoch"], "9007199254740992");
}

TEST(QueuesJson, IsThis) {
  EXPECT_EQ(Json::parse(queues_json(sample_snapshot())), Json::parse(R"({"queues": [
    {"name": "mail", "paused": false, "pending": 150, "delayed": 30, "in_progress": 20, "dead": 9,
     "oldest_pending_seconds": 1.5, "workers": 2},
    {"name": "video", "paused": true, "pending": 50, "delayed": 10, "in_progress": 7, "dead": 1,
     "oldest_pending_seconds": 30.0, "workers": 3}]})"));
}

TEST(WorkersJson, IsThisForOneWorker) {
  const Json workers = Json::parse(workers_json(sample_snapshot()));
  EXPECT_EQ(keys_of(workers), (std::vector<std::string>{"east", "north", "south", "west"}));
  EXPECT_EQ(workers["east"], Json::parse(R"({
    "status": "busy", "tasks_completed": 31, "tasks_failed": 2, "queues": ["mail", "video"],
    "slots": 4, "credit": 6, "running": 4, "holding": 5, "utilisation": 0.5, "busy_seconds": 20.0,
    "connected_seconds": 10.0, "last_heartbeat_age_seconds": 0.25, "version": "0.1.0",
    "id": "00000000-0000-0000-0000-000000000007"})"));
  EXPECT_EQ(workers["north"]["status"], "idle");
  EXPECT_EQ(workers["south"]["status"], "draining");
  EXPECT_EQ(workers["west"]["status"], "unreachable");
}

TEST(WorkersJson, TwoOfANameAreBothThere) {
  StatusSnapshot snapshot = sample_snapshot();
  snapshot.workers[1].name = "east";
  const Json workers = Json::parse(workers_json(snapshot));
  EXPECT_EQ(workers["east"]["status"], "busy");
  EXPECT_EQ(workers["east#2"]["status"], "idle");
}

TEST(WorkersJson, BadTextAndBadNumbersAreRepaired) {
  StatusSnapshot snapshot = sample_snapshot();
  snapshot.workers[0].name = "e\xff\"\n";
  snapshot.workers[0].version = "\xc3";
  snapshot.workers[0].queues = {"\xf0\x9f"};
  snapshot.workers[0].utilisation = std::numeric_limits<double>::quiet_NaN();
  snapshot.workers[1].utilisation = 1.7;
  const Json workers = Json::parse(workers_json(snapshot));
  const Json& repaired = workers["e\xef\xbf\xbd\"\n"];
  EXPECT_EQ(repaired["utilisation"], 0.0);
  EXPECT_EQ(repaired["version"], "\xef\xbf\xbd");
  EXPECT_EQ(workers["north"]["utilisation"], 1.0);
}

TEST(WorkersJson, NoneIsAnEmptyObject) {
  EXPECT_EQ(workers_json(StatusSnapshot()), "{}\n");
}

}  // namespace
}  // namespace millrace::broker
