// Tasks and heartbeats.
#include "tests/golden/sample.h"
#include "tests/golden/sample_values.h"

namespace millrace::golden {
namespace {

wire::TaskDescription least_task() {
  wire::TaskDescription task;
  task.id = first_task();
  task.queue = "q";
  return task;
}

wire::TaskDescription full_task() {
  wire::TaskDescription task;
  task.id = second_task();
  task.queue = "Video/encode.hd_4:k-1";
  task.payload = SharedBytes::copy_of("{\"width\": 800}");
  task.headers = {
      {"traceparent", "00-4bf92f35-01"}, {"tenant", ""}, {"tenant", "Z\u00fcrich \u6c34"}};
  task.priority = 9;
  task.max_attempts = 7;
  task.delay = Duration::milliseconds(250);
  task.not_before = kMoment;
  task.ttl = Duration::hours(2);
  task.timeout = Duration::seconds(30);
  task.retention = Duration();
  task.backoff = {Duration::milliseconds(10), Duration::minutes(1)};
  return task;
}

wire::TaskDescription edge_task() {
  wire::TaskDescription task;
  task.id = highest_task();
  task.queue = std::string(128, 'q');
  task.payload = bytes_of(1'021);
  task.headers = {{std::string(128, 'k'), std::string(1'000, 'v')}};
  task.priority = 0;
  task.max_attempts = kAttemptsMost;
  task.delay = wire::kTaskDurationMost;
  task.not_before = wire::kNotBeforeLatest;
  task.ttl = wire::kTaskDurationMost;
  task.timeout = wire::kTaskDurationMost;
  task.retention = wire::kTaskDurationMost;
  task.backoff = {wire::kBackoffMost, wire::kBackoffMost};
  return task;
}

wire::TaskDescription lowest_edge_task() {
  wire::TaskDescription task = least_task();
  task.id = lowest_task();
  task.payload = bytes_of(1);
  task.max_attempts = 1;
  task.timeout = wire::kTimeoutLeast;
  task.backoff = {Duration(), Duration()};
  return task;
}

}  // namespace

std::vector<Sample> task_and_heartbeat_samples() {
  const auto worker = id_of<WorkerId>("8899aabb-ccdd-eeff-0011-223344556677");
  return {
      {"task_least", "only what is required: all else has its default and is not on the wire",
       least_task()},
      {"task_full", "every field differs from its default; two headers share a key", full_task()},
      {"task_edges", "every field at its upper end", edge_task()},
      {"task_lowest", "small ends: one attempt, the shortest timeout, no backoff",
       lowest_edge_task()},
      {"beat", "an ordinary beat", Beat{worker, SessionNonce(0x0123456789abcdef), 42, 3, 17}},
      {"beat_edges", "every number at its upper end",
       Beat{worker, SessionNonce(kMost64), kMost64, kMost32, kMost32}},
      {"beat_idle", "nothing runs, nothing waits: both counts are left out",
       Beat{worker, SessionNonce(1), 1, 0, 0}},
      {"pulse", "an ordinary pulse", Pulse{Epoch(7), 123'456, kMoment, false}},
      {"pulse_stopping", "the broker says that it stops",
       Pulse{Epoch(kMost64), kMost64, kMoment, true}},
      {"pulse_least", "an epoch and nothing else", Pulse{Epoch(1), 0, Time(), false}},
  };
}

std::vector<Sample> all_samples() {
  std::vector<Sample> all;
  for (auto samples : {task_and_heartbeat_samples, client_message_samples, client_reply_samples,
                       worker_message_samples, worker_reply_samples}) {
    for (Sample& sample : samples()) all.push_back(std::move(sample));
  }
  return all;
}

}  // namespace millrace::golden
