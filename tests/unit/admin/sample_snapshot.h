// A hand-made snapshot with a different value in every field, so that a mix-up shows.
#pragma once

#include "broker/admin/status_snapshot.h"

namespace millrace::broker {

inline WorkerStatus sample_worker(const std::string& name, WorkerCondition condition) {
  WorkerStatus worker;
  worker.name = name;
  worker.id.bytes[15] = 7;
  worker.condition = condition;
  worker.queues = {"mail", "video"};
  worker.slots = 4;
  worker.credit = 6;
  worker.holding = 5;
  worker.tasks_completed = 31;
  worker.tasks_failed = 2;
  worker.busy_time = Duration::seconds(20);
  worker.connected_for = Duration::seconds(10);
  worker.utilisation = 0.5;
  worker.last_heard_age = Duration::milliseconds(250);
  worker.version = "0.1.0";
  return worker;
}

inline StatusSnapshot sample_snapshot() {
  StatusSnapshot snapshot;
  snapshot.taken = Time::since_epoch(Duration::seconds(1'772'368'200));  // 2026-03-01T12:30:00Z
  snapshot.uptime = Duration::milliseconds(90'500);
  snapshot.epoch = Epoch(3);
  snapshot.version = "0.1.0";
  snapshot.loop_lag = Duration::milliseconds(2);
  snapshot.totals.accepted = 1'000;
  snapshot.totals.succeeded = 700;
  snapshot.totals.dead = 13;
  snapshot.totals.cancelled = 12;
  snapshot.totals.expired = 11;
  snapshot.totals.requeued = 3;
  snapshot.totals.retries = 41;
  snapshot.totals.pruned = 90;
  snapshot.totals.lease_losses = 5;
  snapshot.totals.timeouts = 6;
  // accepted = the sum of these + pruned
  snapshot.tasks_by_state[index_of(TaskState::delayed)] = 40;
  snapshot.tasks_by_state[index_of(TaskState::pending)] = 200;
  snapshot.tasks_by_state[index_of(TaskState::in_progress)] = 27;
  snapshot.tasks_by_state[index_of(TaskState::succeeded)] = 620;
  snapshot.tasks_by_state[index_of(TaskState::dead)] = 10;
  snapshot.tasks_by_state[index_of(TaskState::cancelled)] = 8;
  snapshot.tasks_by_state[index_of(TaskState::expired)] = 5;
  snapshot.stale_leases = 21;
  snapshot.duplicates = 22;
  snapshot.refused_submits = 23;
  snapshot.bad_messages = 24;
  snapshot.unknown_beats = 25;
  snapshot.sends_dropped = 26;
  snapshot.stalls = 1;
  snapshot.clients = 14;
  snapshot.watches = 15;
  snapshot.retained_bytes = 123'456;
  snapshot.queues = {{"mail", false, 30, 150, 20, 9, Duration::milliseconds(1'500), 2},
                     {"video", true, 10, 50, 7, 1, Duration::seconds(30), 3}};
  snapshot.workers = {sample_worker("east", WorkerCondition::busy),
                      sample_worker("north", WorkerCondition::idle),
                      sample_worker("south", WorkerCondition::draining),
                      sample_worker("west", WorkerCondition::unreachable)};
  snapshot.workers[1].holding = 0;
  snapshot.workers[1].busy_time = Duration::seconds(4);
  for (int i = 0; i < 100; ++i) snapshot.queue_wait.record(Duration::microseconds(1'024));
  snapshot.run_time.record(Duration::seconds(2));
  snapshot.commit_time.record(Duration::microseconds(300));
  snapshot.store_usage = {ByteCount(256), ByteCount(1'024), ByteCount(4'096), true};
  snapshot.store_counters = {50, 60, 70, Duration::milliseconds(80), Duration::milliseconds(9)};
  return snapshot;
}

}  // namespace millrace::broker
