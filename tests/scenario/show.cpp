// What a scenario can look at between turns.
#include "tests/scenario/interpreter.h"

namespace millrace::broker::test {
namespace {

std::string field(const char* name, std::uint64_t value) {
  return " " + std::string(name) + "=" + std::to_string(value);
}

}  // namespace

void Interpreter::show(const Command& command) {
  tick(false);
  const CoreStatus status = core_->status(now_);
  for (const std::string& word : command.words()) {
    if (word == "tasks") {
      show_tasks();
    } else if (word == "workers") {
      show_workers(status);
    } else if (word == "queues") {
      show_queues(status);
    } else if (word == "totals") {
      show_totals(status);
    } else {
      problem("show tasks|workers|queues|totals");
    }
  }
}

void Interpreter::show_tasks() {
  const Trace trace(peers_, store_, start_);
  for (const auto& [sequence, record] : store_.tasks()) say("task " + trace.describe(record));
}

void Interpreter::show_workers(const CoreStatus& status) {
  for (const WorkerStatus& worker : status.workers) {
    std::string queues;
    for (const std::string& queue : worker.queues) queues += (queues.empty() ? "" : ",") + queue;
    say("worker " + worker.name + " " + name_of(worker.condition) + " queues=" + queues +
        field("slots", worker.slots) + field("credit", worker.credit) +
        field("holding", worker.holding) + field("completed", worker.tasks_completed) +
        field("failed", worker.tasks_failed) + " busy=" + in_milliseconds(worker.busy_time));
  }
}

void Interpreter::show_queues(const CoreStatus& status) {
  for (const QueueStatus& queue : status.queues) {
    say("queue " + queue.name + (queue.paused ? " paused" : "") + field("delayed", queue.delayed) +
        field("pending", queue.pending) + field("in_progress", queue.in_progress) +
        field("dead", queue.dead) + field("workers", queue.workers) +
        " oldest=" + in_milliseconds(queue.oldest_pending_age));
  }
}

void Interpreter::show_totals(const CoreStatus& status) {
  const Totals& totals = status.totals;
  say("totals" + field("accepted", totals.accepted) + field("succeeded", totals.succeeded) +
      field("dead", totals.dead) + field("cancelled", totals.cancelled) +
      field("expired", totals.expired) + field("requeued", totals.requeued) +
      field("retries", totals.retries) + field("pruned", totals.pruned) +
      field("lease_losses", totals.lease_losses) + field("timeouts", totals.timeouts));
  const CoreCounters& counters = status.counters;
  say("counters" + field("stale_leases", counters.stale_leases) +
      field("duplicates", counters.duplicates) + field("refused", counters.refused_submits) +
      field("unknown_beats", counters.unknown_beats) + field("stalls", counters.stalls) +
      field("lost", counters.workers_lost) + field("adopted", counters.adopted_leases) +
      field("recalled", counters.recalled_tasks));
  say("gauges" + field("clients", status.clients) + field("watches", status.watches) +
      field("retained_bytes", status.retained_bytes));
}

}  // namespace millrace::broker::test
