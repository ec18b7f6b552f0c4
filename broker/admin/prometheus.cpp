#include "broker/admin/prometheus.h"

#include <vector>

#include "broker/admin/prometheus_writer.h"
#include "broker/admin/status_figures.h"
#include "broker/admin/worker_keys.h"

namespace millrace::broker {
namespace {

std::uint64_t flag(bool value) {
  return value ? 1 : 0;
}

void write_broker(PrometheusWriter& out, const StatusSnapshot& s) {
  out.begin_gauge("build_info", "The running version; always 1.");
  out.sample({{"version", s.version}}, std::uint64_t{1});
  out.gauge("uptime_seconds", "Time since the broker started.", s.uptime.in_seconds());
  out.gauge("epoch", "Starts of the broker on this data directory.", s.epoch.value);
  out.gauge("snapshot_timestamp_seconds", "When these figures were taken, Unix time.",
            s.taken.since_epoch().in_seconds());
  out.gauge("stopping", "1 while the broker stops.", flag(s.stopping));
  out.gauge("loop_lag_seconds", "The longest turn of the loop in the last second.",
            s.loop_lag.in_seconds());
  out.counter("loop_stalls_total", "Times the loop stood still for over a second.", s.stalls);
  out.gauge("clients", "Connected client sessions.", s.clients);
  out.gauge("watches", "Tasks that clients wait for.", s.watches);
}

void write_tasks(PrometheusWriter& out, const StatusSnapshot& s) {
  out.begin_gauge("tasks", "Tasks by state now, ended ones while they are retained.");
  for (const TaskState state : kAllTaskStates) {
    out.sample({{"state", name_of(state)}}, tasks_in(s, state));
  }
  const Totals& totals = s.totals;
  out.counter("tasks_submitted_total", "Tasks accepted.", totals.accepted);
  out.counter("tasks_succeeded_total", "Tasks that ended as succeeded.", totals.succeeded);
  out.counter("tasks_dead_total", "Tasks moved to the dead-letter queue.", totals.dead);
  out.counter("tasks_cancelled_total", "Tasks that ended as cancelled.", totals.cancelled);
  out.counter("tasks_expired_total", "Tasks whose ttl passed before they started.", totals.expired);
  out.counter("tasks_requeued_total", "Dead tasks made pending again.", totals.requeued);
  out.counter("tasks_pruned_total", "Ended tasks forgotten by age, size or purge.", totals.pruned);
  out.counter("task_retries_total", "Attempts after the first.", totals.retries);
  out.counter("task_timeouts_total", "Attempts ended at their timeout.", totals.timeouts);
  out.counter("lease_losses_total", "Leases lost to silent, departed or dead workers.",
              totals.lease_losses);
  out.gauge("retained_bytes", "Specs and results kept of ended tasks.", s.retained_bytes);
  out.histogram("queue_wait_seconds", "From pending to lease.", s.queue_wait);
  out.histogram("run_time_seconds", "From lease to accepted completion.", s.run_time);
}

void write_anomalies(PrometheusWriter& out, const StatusSnapshot& s) {
  out.counter("invariant_violations_total", "Times the books did not balance; must stay 0.",
              s.invariant_violations);
  out.counter("stale_leases_total", "Completions refused because their fence was old.",
              s.stale_leases);
  out.counter("duplicate_submits_total", "Submits of a known task.", s.duplicates);
  out.counter("refused_submits_total", "Submits refused.", s.refused_submits);
  out.counter("bad_messages_total",
              "Messages that could not be read, or that their key does not allow.", s.bad_messages);
  out.counter("unknown_beats_total", "Heartbeats of no known session.", s.unknown_beats);
  out.counter("dropped_sends_total", "Messages to peers that are gone or do not read.",
              s.sends_dropped);
}

void write_store(PrometheusWriter& out, const StatusSnapshot& s) {
  out.gauge("store_accepting", "1 while the store has room for submits.", flag(s.store_accepting));
  out.gauge("store_used_bytes", "Bytes used of the store's map.",
            s.store_usage.map_bytes_used.value);
  out.gauge("store_size_bytes", "Bytes the store's map may grow to.",
            s.store_usage.map_bytes_max.value);
  out.gauge("store_disk_free_bytes", "Bytes free on the store's disk.",
            s.store_usage.disk_bytes_free.value);
  out.counter("store_commits_total", "Synced transactions.", s.store_counters.commits);
  out.counter("store_batches_total", "Write batches committed.", s.store_counters.batches);
  out.counter("store_writes_total", "Writes committed.", s.store_counters.writes);
  out.gauge("store_commit_max_seconds", "The longest commit since start.",
            s.store_counters.commit_time_max.in_seconds());
  out.histogram("commit_seconds", "From the start of a commit to its sync.", s.commit_time);
}

// A family of one sample a queue.
template <class Value>
void write_queue_family(PrometheusWriter& out, const StatusSnapshot& s, const char* name,
                        const char* help, Value value) {
  out.begin_gauge(name, help);
  for (const QueueStatus& queue : s.queues) out.sample({{"queue", queue.name}}, value(queue));
}

void write_queues(PrometheusWriter& out, const StatusSnapshot& s) {
  out.begin_gauge("queue_tasks", "Tasks by queue and state now.");
  for (const QueueStatus& queue : s.queues) {
    out.sample({{"queue", queue.name}, {"state", "delayed"}}, queue.delayed);
    out.sample({{"queue", queue.name}, {"state", "pending"}}, queue.pending);
    out.sample({{"queue", queue.name}, {"state", "in_progress"}}, queue.in_progress);
    out.sample({{"queue", queue.name}, {"state", "dead"}}, queue.dead);
  }
  write_queue_family(out, s, "queue_oldest_pending_seconds", "Age of the oldest pending task.",
                     [](const QueueStatus& q) { return q.oldest_pending_age.in_seconds(); });
  write_queue_family(out, s, "queue_paused", "1 while the queue is paused.",
                     [](const QueueStatus& q) { return flag(q.paused); });
  write_queue_family(out, s, "queue_workers", "Connected workers that serve the queue.",
                     [](const QueueStatus& q) { return std::uint64_t{q.workers}; });
}

enum class FamilyType { gauge, counter };

// A family of one sample a worker.
template <class Value>
void write_worker_family(PrometheusWriter& out, const std::vector<WorkerStatus>& workers,
                         const std::vector<std::string>& keys, FamilyType type, const char* name,
                         const char* help, Value value) {
  type == FamilyType::counter ? out.begin_counter(name, help) : out.begin_gauge(name, help);
  for (std::size_t i = 0; i < workers.size(); ++i) {
    out.sample({{"worker", keys[i]}}, value(workers[i]));
  }
}

void write_each_worker(PrometheusWriter& out, const std::vector<WorkerStatus>& workers) {
  const std::vector<std::string> keys = worker_keys(workers);
  out.begin_gauge("worker_info", "A known worker; always 1.");
  for (std::size_t i = 0; i < workers.size(); ++i) {
    const std::string id = to_text(workers[i].id);
    out.sample({{"worker", keys[i]},
                {"id", id},
                {"version", workers[i].version},
                {"condition", name_of(workers[i].condition)}},
               std::uint64_t{1});
  }
  const auto gauge = [&](const char* name, const char* help, auto value) {
    write_worker_family(out, workers, keys, FamilyType::gauge, name, help, value);
  };
  const auto counter = [&](const char* name, const char* help, auto value) {
    write_worker_family(out, workers, keys, FamilyType::counter, name, help, value);
  };
  using Worker = const WorkerStatus&;
  gauge("worker_slots", "Tasks it runs at once.", [](Worker w) { return std::uint64_t{w.slots}; });
  gauge("worker_credit", "Tasks it wants to hold.",
        [](Worker w) { return std::uint64_t{w.credit}; });
  gauge("worker_holding", "Tasks it holds, running and prefetched.",
        [](Worker w) { return std::uint64_t{w.holding}; });
  gauge("worker_utilisation_ratio", "Handler time over slot time since it connected.",
        [](Worker w) { return as_ratio(w.utilisation); });
  gauge("worker_silence_seconds", "Time since it was last heard.",
        [](Worker w) { return w.last_heard_age.in_seconds(); });
  gauge("worker_connected_seconds", "Time since it connected.",
        [](Worker w) { return w.connected_for.in_seconds(); });
  counter("worker_tasks_completed_total", "Tasks that succeeded here since it connected.",
          [](Worker w) { return w.tasks_completed; });
  counter("worker_tasks_failed_total", "Attempts that failed here since it connected.",
          [](Worker w) { return w.tasks_failed; });
  counter("worker_busy_seconds_total", "Handler time since it connected.",
          [](Worker w) { return w.busy_time.in_seconds(); });
}

void write_workers(PrometheusWriter& out, const StatusSnapshot& s) {
  const WorkerFigures figures = figures_of(s.workers);
  out.begin_gauge("workers", "Known workers by condition.");
  out.sample({{"condition", "idle"}}, figures.idle);
  out.sample({{"condition", "busy"}}, figures.busy);
  out.sample({{"condition", "draining"}}, figures.draining);
  out.sample({{"condition", "unreachable"}}, figures.unreachable);
  out.gauge("slots", "Slots of all connected workers.", figures.slots);
  out.gauge("busy_slots", "Slots that run a task.", figures.busy_slots);
  out.gauge("utilisation_ratio", "Handler time over slot time of the connected workers.",
            figures.utilisation);
  write_each_worker(out, s.workers);
}

}  // namespace

std::string prometheus_text(const StatusSnapshot& snapshot) {
  PrometheusWriter out;
  write_broker(out, snapshot);
  write_tasks(out, snapshot);
  write_anomalies(out, snapshot);
  write_store(out, snapshot);
  write_queues(out, snapshot);
  write_workers(out, snapshot);
  return out.take();
}

}  // namespace millrace::broker
