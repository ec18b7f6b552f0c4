#include "broker/admin/status_json.h"

#include <algorithm>

#include "broker/admin/json_text.h"
#include "broker/admin/latency.h"
#include "broker/admin/status_figures.h"
#include "broker/admin/status_history.h"
#include "broker/admin/worker_keys.h"

namespace millrace::broker {
namespace {

Json latency(const LatencySummary& summary) {
  return {{"count", summary.count},
          {"mean_seconds", seconds(mean(summary))},
          {"p50_seconds", seconds(quantile(summary, 0.50))},
          {"p90_seconds", seconds(quantile(summary, 0.90))},
          {"p99_seconds", seconds(quantile(summary, 0.99))}};
}

Json tasks_by_state(const StatusSnapshot& snapshot) {
  Json states = Json::object();
  for (const TaskState state : kAllTaskStates) {
    states[std::string(name_of(state))] = tasks_in(snapshot, state);
  }
  return states;
}

Json queue(const QueueStatus& status) {
  return {{"name", text(status.name)},
          {"paused", status.paused},
          {"pending", status.pending},
          {"delayed", status.delayed},
          {"in_progress", status.in_progress},
          {"dead", status.dead},
          {"oldest_pending_seconds", seconds(status.oldest_pending_age)},
          {"workers", status.workers}};
}

Json queue_list(const StatusSnapshot& snapshot) {
  Json list = Json::array();
  for (const QueueStatus& status : snapshot.queues) list.push_back(queue(status));
  return list;
}

Json store(const StoreUsage& usage, const StoreCounters& counters) {
  return {{"accepting", usage.accepting},
          {"commits_total", counters.commits},
          {"batches_total", counters.batches},
          {"writes_total", counters.writes},
          {"commit_seconds_total", seconds(counters.commit_time_total)},
          {"commit_max_seconds", seconds(counters.commit_time_max)},
          {"used_bytes", usage.map_bytes_used.value},
          {"size_bytes", usage.map_bytes_max.value},
          {"used_ratio", used_ratio(usage)},
          {"disk_free_bytes", usage.disk_bytes_free.value}};
}

void add_baseline(Json& document, const StatusSnapshot& snapshot, const WorkerFigures& workers) {
  document["uptime_seconds"] = seconds(snapshot.uptime);
  document["pending_tasks"] = tasks_in(snapshot, TaskState::pending);
  document["in_progress_tasks"] = tasks_in(snapshot, TaskState::in_progress);
  document["completed_tasks"] = snapshot.totals.succeeded;
  document["connected_workers"] = workers.connected;
  document["idle_workers"] = workers.idle;
  document["total_retries"] = snapshot.totals.retries;
}

void add_tasks(Json& document, const StatusSnapshot& snapshot) {
  const Totals& totals = snapshot.totals;
  document["submitted_tasks"] = totals.accepted;
  document["delayed_tasks"] = tasks_in(snapshot, TaskState::delayed);
  document["dead_tasks"] = tasks_in(snapshot, TaskState::dead);
  document["cancelled_tasks"] = totals.cancelled;
  document["expired_tasks"] = totals.expired;
  document["pruned_tasks"] = totals.pruned;
  document["tasks_by_state"] = tasks_by_state(snapshot);
  document["retained_bytes"] = snapshot.retained_bytes;
  document["dead_lettered_total"] = totals.dead;
  document["requeued_total"] = totals.requeued;
  document["lease_losses_total"] = totals.lease_losses;
  document["timeouts_total"] = totals.timeouts;
}

void add_workers(Json& document, const WorkerFigures& workers) {
  document["busy_workers"] = workers.busy;
  document["draining_workers"] = workers.draining;
  document["unreachable_workers"] = workers.unreachable;
  document["slots"] = workers.slots;
  document["busy_slots"] = workers.busy_slots;
  document["utilisation"] = workers.utilisation;
}

void add_health(Json& document, const StatusSnapshot& snapshot) {
  document["connected_clients"] = snapshot.clients;
  document["watches"] = snapshot.watches;
  document["loop_lag_seconds"] = seconds(snapshot.loop_lag);
  document["loop_stalls_total"] = snapshot.stalls;
  document["invariant_violations_total"] = snapshot.invariant_violations;
  document["stale_leases_total"] = snapshot.stale_leases;
  document["duplicate_submits_total"] = snapshot.duplicates;
  document["refused_submits_total"] = snapshot.refused_submits;
  document["bad_messages_total"] = snapshot.bad_messages;
  document["unknown_beats_total"] = snapshot.unknown_beats;
  document["dropped_sends_total"] = snapshot.sends_dropped;
}

Json worker(const WorkerStatus& status) {
  Json queues = Json::array();
  for (const std::string& name : status.queues) queues.push_back(text(name));
  return {{"status", name_of(status.condition)},
          {"tasks_completed", status.tasks_completed},
          {"tasks_failed", status.tasks_failed},
          {"queues", std::move(queues)},
          {"slots", status.slots},
          {"credit", status.credit},
          {"running", running_on(status)},
          {"holding", status.holding},
          {"utilisation", as_ratio(status.utilisation)},
          {"busy_seconds", seconds(status.busy_time)},
          {"connected_seconds", seconds(status.connected_for)},
          {"last_heartbeat_age_seconds", seconds(status.last_heard_age)},
          {"version", text(status.version)},
          {"id", to_text(status.id)}};
}

Json metrics_document(const StatusSnapshot& snapshot) {
  const WorkerFigures workers = figures_of(snapshot.workers);
  Json document = Json::object();
  add_baseline(document, snapshot, workers);
  add_tasks(document, snapshot);
  add_workers(document, workers);
  document["queues"] = queue_list(snapshot);
  document["latencies"] = {{"queue_wait", latency(snapshot.queue_wait)},
                           {"run_time", latency(snapshot.run_time)},
                           {"commit", latency(snapshot.commit_time)}};
  document["store"] = store(snapshot.store_usage, snapshot.store_counters);
  add_health(document, snapshot);
  document["store_accepting"] = snapshot.store_accepting;
  document["stopping"] = snapshot.stopping;
  document["epoch"] = id_number(snapshot.epoch.value);
  document["version"] = text(snapshot.version);
  document["taken_at"] = moment(snapshot.taken);
  return document;
}

Json workers_document(const StatusSnapshot& snapshot, std::size_t workers_max) {
  const std::vector<std::string> keys = worker_keys(snapshot.workers);
  Json document = Json::object();
  // The keys are unique, so the members need not be searched before each is added.
  auto& members = document.get_ref<Json::object_t&>();
  const std::size_t count = std::min(keys.size(), workers_max);
  members.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    members.emplace_back(keys[i], worker(snapshot.workers[i]));
  }
  return document;
}

Json sample_json(const StatusSample& sample) {
  Json queues = Json::object();
  for (const QueueSample& queue : sample.queues) {
    queues[queue.name] = {{"waiting", queue.waiting},
                          {"in_progress", queue.in_progress},
                          {"oldest_pending_seconds", seconds(queue.oldest_pending_age)}};
  }
  return {{"taken_at", moment(sample.taken)},
          {"submitted_tasks", sample.submitted},
          {"completed_tasks", sample.succeeded},
          {"dead_lettered_total", sample.dead_lettered},
          {"total_retries", sample.retries},
          {"waiting_tasks", sample.waiting},
          {"in_progress_tasks", sample.in_progress},
          {"dead_tasks", sample.dead},
          {"slots", sample.slots},
          {"busy_slots", sample.busy_slots},
          {"connected_workers", sample.workers},
          {"oldest_pending_seconds", seconds(sample.oldest_pending_age)},
          {"queues", std::move(queues)}};
}

}  // namespace

std::string metrics_json(const StatusSnapshot& snapshot) {
  return dump(metrics_document(snapshot));
}

std::string workers_json(const StatusSnapshot& snapshot) {
  return dump(workers_document(snapshot, snapshot.workers.size()));
}

std::string queues_json(const StatusSnapshot& snapshot) {
  Json document = Json::object();
  document["queues"] = queue_list(snapshot);
  return dump(document);
}

std::string history_json(const StatusSnapshot& snapshot) {
  Json samples = Json::array();
  if (snapshot.history) {
    for (const auto& sample : snapshot.history->samples) samples.push_back(sample_json(*sample));
  }
  Json document = Json::object();
  document["interval_seconds"] = seconds(StatusRecorder::kInterval);
  document["samples"] = std::move(samples);
  return dump_line(document);
}

std::string event_json(const StatusSnapshot& snapshot, std::size_t workers_max) {
  Json document = Json::object();
  document["metrics"] = metrics_document(snapshot);
  document["workers"] = workers_document(snapshot, workers_max);
  return dump_line(document);
}

}  // namespace millrace::broker
