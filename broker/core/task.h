// A task in the broker's memory. The payload is never here; what many tasks have in common is kept
// once, in TaskTerms. Small on purpose: a backlog of tens of millions is an ordinary day.
#pragma once

#include <cstdint>

#include "broker/core/effect.h"
#include "common/base/check.h"

namespace millrace::broker {

// Handles into the core's tables; 0 is none. Stable while the thing exists, then reused.
using TaskIndex = Number<struct TaskIndexTag, std::uint32_t>;
using TermsIndex = Number<struct TermsIndexTag, std::uint32_t>;
using WorkerIndex = Number<struct WorkerIndexTag, std::uint32_t>;
using ClientIndex = Number<struct ClientIndexTag, std::uint32_t>;
using WatchIndex = Number<struct WatchIndexTag, std::uint32_t>;
using LastLeaseIndex = Number<struct LastLeaseIndexTag, std::uint32_t>;

// What a submitter asks for and most tasks of a queue share. Never changes for a task.
struct TaskTerms {
  QueueNumber queue;
  std::uint8_t priority = 0;
  std::uint16_t max_attempts = 0;
  Duration timeout;
  Duration retention;
  Duration ttl;  // from acceptance; zero: none
  Backoff backoff;
  friend bool operator==(const TaskTerms&, const TaskTerms&) = default;
};

struct Task {
  TaskId id;
  TaskSequence sequence;
  std::uint64_t content_hash = 0;
  Time accepted;
  // Delayed: when it becomes pending. Pending: since when. In progress: when the lease was granted.
  // Ended: when. Of these, the first and the last are persistent.
  Time moment;

  std::uint32_t last_fence = 0;  // the newest granted; 0: none yet
  TermsIndex terms;
  std::uint32_t timer_position = 0;  // in its DeadlineHeap, from 1; 0: it has no timer
  // Neighbours in the one list a task is in: its queue's delayed, pending (unless in_returned) or
  // dead list; its worker's leases or the orphans; the retained list.
  TaskIndex previous;
  TaskIndex next;
  std::uint32_t payload_bytes = 0;
  std::uint16_t attempts = 0;         // leases that count
  std::uint16_t attempt_records = 0;  // AttemptRecords kept for it, numbered from 1

  TaskState state = TaskState::pending;
  Reason reason = Reason::none;
  std::uint8_t progress_percent = 0;
  bool exists : 1 = false;
  bool dirty : 1 = false;        // the record is to be written this turn
  bool in_returned : 1 = false;  // pending in its lane's returned set instead of the fifo
  bool cancel_requested : 1 = false;
  bool spec_stored : 1 = false;
  bool ttl_over : 1 = false;  // an attempt has had an effect: the task does not expire any more

  Fence fence() const { return Fence(last_fence); }

  // In progress: who holds the lease; none: nobody since the restart. None in every other state.
  WorkerIndex worker() const {
    return WorkerIndex(state == TaskState::in_progress ? holder_or_result_ : 0);
  }
  // To be called before the task enters in_progress, or while it is in it.
  void set_worker(WorkerIndex worker) { holder_or_result_ = worker.value; }

  // Of an ended task; 0 in every other state.
  ByteCount result_bytes() const { return ByteCount(is_terminal(state) ? holder_or_result_ : 0); }
  // To be called when the task has left its state for a terminal one.
  void set_result_bytes(std::size_t bytes) {
    holder_or_result_ = static_cast<std::uint32_t>(bytes);
  }

  // Clients that wait for the end; none once the task has ended.
  WatchIndex first_watch() const { return WatchIndex(is_terminal(state) ? 0 : watch_or_lease_); }
  // To be called before the task ends.
  void set_first_watch(WatchIndex watch) { watch_or_lease_ = watch.value; }

  // Of a task that ended in this turn while it was in progress: where the core keeps its last lease
  // until the record is written. None in every other state.
  LastLeaseIndex last_lease() const {
    return LastLeaseIndex(is_terminal(state) ? watch_or_lease_ : 0);
  }
  // To be called when the task has no watch any more.
  void set_last_lease(LastLeaseIndex lease) { watch_or_lease_ = lease.value; }

 private:
  std::uint32_t holder_or_result_ = 0;
  std::uint32_t watch_or_lease_ = 0;
};
static_assert(sizeof(Task) == 88, "a waiting task's memory is a promise: see docs/performance.md");

}  // namespace millrace::broker
