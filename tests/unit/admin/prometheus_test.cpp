#include "broker/admin/prometheus.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "common/wire/utf8.h"
#include "tests/unit/admin/prometheus_parser.h"
#include "tests/unit/admin/sample_snapshot.h"

namespace millrace::broker {
namespace {

using Labels = std::map<std::string, std::string>;

PrometheusDocument sample_document() {
  return parse_prometheus(prometheus_text(sample_snapshot()));
}

double value_of(const PrometheusDocument& document, std::string_view name,
                const Labels& labels = {}) {
  const PrometheusSample* sample = document.sample(name, labels);
  EXPECT_NE(sample, nullptr) << name;
  return sample == nullptr ? -1 : sample->value;
}

// The parser must itself be able to say no, or the tests below prove nothing.
TEST(PrometheusParser, RefusesWhatTheFormatForbids) {
  const std::string head = "# HELP a_total A.\n# TYPE a_total counter\n";
  EXPECT_EQ(parse_prometheus(head + "a_total{q=\"x\\\"\\\\\\n\"} 1\n").error, "");
  const std::vector<std::string> bad = {
      "a_total 1\n",
      head + "a_total 1",
      head + "a_total\n",
      head + "a_total one\n",
      head + "a_total -1\n",
      head + "a_total  1\n",
      head + "b_total 1\n",
      head + "a_total 1\na_total 2\n",
      head + "a_total{q=\"x} 1\n",
      head + "a_total{q=\"\\t\"} 1\n",
      head + "a_total{q=\"x\",q=\"y\"} 1\n",
      head + "a_total{1q=\"x\"} 1\n",
      head + head,
      "# HELP a A.\n# TYPE a counter\na 1\n",
      "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n",
      "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\n"
      "h_count 1\n",
  };
  for (const std::string& text : bad) EXPECT_NE(parse_prometheus(text).error, "") << text;
}

TEST(PrometheusText, IsWellFormed) {
  const PrometheusDocument document = sample_document();
  EXPECT_EQ(document.error, "");
  for (const PrometheusFamily& family : document.families) {
    EXPECT_TRUE(family.name.starts_with("millrace_")) << family.name;
    EXPECT_FALSE(family.samples.empty()) << family.name;
    EXPECT_EQ(family.type == "counter", family.name.ends_with("_total")) << family.name;
  }
}

TEST(PrometheusText, CarriesTheFigures) {
  const PrometheusDocument document = sample_document();
  EXPECT_EQ(value_of(document, "millrace_build_info", {{"version", "0.1.0"}}), 1);
  EXPECT_EQ(value_of(document, "millrace_uptime_seconds"), 90.5);
  EXPECT_EQ(value_of(document, "millrace_tasks", {{"state", "pending"}}), 200);
  EXPECT_EQ(value_of(document, "millrace_tasks", {{"state", "dead"}}), 10);
  EXPECT_EQ(value_of(document, "millrace_tasks_submitted_total"), 1'000);
  EXPECT_EQ(value_of(document, "millrace_tasks_succeeded_total"), 700);
  EXPECT_EQ(value_of(document, "millrace_tasks_dead_total"), 13);
  EXPECT_EQ(value_of(document, "millrace_tasks_cancelled_total"), 12);
  EXPECT_EQ(value_of(document, "millrace_tasks_expired_total"), 11);
  EXPECT_EQ(value_of(document, "millrace_tasks_requeued_total"), 3);
  EXPECT_EQ(value_of(document, "millrace_tasks_pruned_total"), 90);
  EXPECT_EQ(value_of(document, "millrace_task_retries_total"), 41);
  EXPECT_EQ(value_of(document, "millrace_task_timeouts_total"), 6);
  EXPECT_EQ(value_of(document, "millrace_lease_losses_total"), 5);
  EXPECT_EQ(value_of(document, "millrace_stale_leases_total"), 21);
  EXPECT_EQ(value_of(document, "millrace_duplicate_submits_total"), 22);
  EXPECT_EQ(value_of(document, "millrace_refused_submits_total"), 23);
  EXPECT_EQ(value_of(document, "millrace_bad_messages_total"), 24);
  EXPECT_EQ(value_of(document, "millrace_unknown_beats_total"), 25);
  EXPECT_EQ(value_of(document, "millrace_dropped_sends_total"), 26);
  EXPECT_EQ(value_of(document, "millrace_invariant_violations_total"), 0);
  EXPECT_EQ(value_of(document, "millrace_store_commits_total"), 50);
  EXPECT_EQ(value_of(document, "millrace_store_batches_total"), 60);
  EXPECT_EQ(value_of(document, "millrace_store_writes_total"), 70);
  EXPECT_EQ(value_of(document, "millrace_store_used_bytes"), 256);
  EXPECT_EQ(value_of(document, "millrace_workers", {{"condition", "busy"}}), 1);
  EXPECT_EQ(value_of(document, "millrace_slots"), 12);
}

TEST(PrometheusText, LabelsQueuesAndWorkers) {
  const PrometheusDocument document = sample_document();
  EXPECT_EQ(value_of(document, "millrace_queue_tasks", {{"queue", "mail"}, {"state", "pending"}}),
            150);
  EXPECT_EQ(value_of(document, "millrace_queue_tasks", {{"queue", "video"}, {"state", "dead"}}), 1);
  EXPECT_EQ(value_of(document, "millrace_queue_oldest_pending_seconds", {{"queue", "mail"}}), 1.5);
  EXPECT_EQ(value_of(document, "millrace_queue_paused", {{"queue", "video"}}), 1);
  EXPECT_EQ(value_of(document, "millrace_queue_workers", {{"queue", "mail"}}), 2);
  EXPECT_EQ(value_of(document, "millrace_worker_slots", {{"worker", "east"}}), 4);
  EXPECT_EQ(value_of(document, "millrace_worker_holding", {{"worker", "east"}}), 5);
  EXPECT_EQ(value_of(document, "millrace_worker_utilisation_ratio", {{"worker", "east"}}), 0.5);
  EXPECT_EQ(value_of(document, "millrace_worker_silence_seconds", {{"worker", "east"}}), 0.25);
  EXPECT_EQ(value_of(document, "millrace_worker_tasks_completed_total", {{"worker", "east"}}), 31);
  EXPECT_EQ(value_of(document, "millrace_worker_busy_seconds_total", {{"worker", "east"}}), 20);
}

TEST(PrometheusText, HistogramsAreCumulativeSeconds) {
  const PrometheusDocument document = sample_document();
  EXPECT_EQ(value_of(document, "millrace_queue_wait_seconds_bucket", {{"le", "0.000512"}}), 0);
  EXPECT_EQ(value_of(document, "millrace_queue_wait_seconds_bucket", {{"le", "0.001024"}}), 100);
  EXPECT_EQ(value_of(document, "millrace_queue_wait_seconds_bucket", {{"le", "+Inf"}}), 100);
  EXPECT_NEAR(value_of(document, "millrace_queue_wait_seconds_sum"), 0.1024, 1e-12);
  EXPECT_EQ(value_of(document, "millrace_queue_wait_seconds_count"), 100);
  EXPECT_EQ(value_of(document, "millrace_run_time_seconds_sum"), 2);
  EXPECT_EQ(value_of(document, "millrace_commit_seconds_count"), 1);
}

TEST(PrometheusText, AnyNameIsALabel) {
  StatusSnapshot snapshot = sample_snapshot();
  snapshot.workers[0].name = "a\"b\\c\nd}e,f=\xff";
  snapshot.workers[1].name = snapshot.workers[0].name;
  const std::string text = prometheus_text(snapshot);
  EXPECT_TRUE(is_utf8(text));
  const PrometheusDocument document = parse_prometheus(text);
  EXPECT_EQ(document.error, "");
  const std::string key = "a\"b\\c\nd}e,f=\xef\xbf\xbd";
  EXPECT_EQ(value_of(document, "millrace_worker_holding", {{"worker", key}}), 5);
  EXPECT_EQ(value_of(document, "millrace_worker_holding", {{"worker", key + "#2"}}), 0);
}

TEST(PrometheusText, AnEmptyBrokerIsWellFormed) {
  EXPECT_EQ(parse_prometheus(prometheus_text(StatusSnapshot())).error, "");
}

}  // namespace
}  // namespace millrace::broker
