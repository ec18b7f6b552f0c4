// The life of a task in words. The same names stand on the wire, in JSON, in docs and in code; the
// numbers are on the wire and on disk: append only, never reuse.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace {

enum class TaskState : std::uint8_t {
  delayed = 1,      // waits for its time: a delay, a not_before or a retry's backoff
  pending = 2,      // may run now
  in_progress = 3,  // leased to a worker
  succeeded = 4,    // ended: its result is stored
  dead = 5,         // ended: in the dead-letter queue, may be requeued
  cancelled = 6,    // ended
  expired = 7,      // ended: its ttl passed before it first started
};
inline constexpr std::size_t kTaskStates = 8;  // arrays indexed by TaskState; slot 0 unused
inline constexpr std::array<TaskState, 7> kAllTaskStates = {
    TaskState::delayed, TaskState::pending,   TaskState::in_progress, TaskState::succeeded,
    TaskState::dead,    TaskState::cancelled, TaskState::expired};

constexpr std::string_view name_of(TaskState state) {
  switch (state) {
    case TaskState::delayed:
      return "delayed";
    case TaskState::pending:
      return "pending";
    case TaskState::in_progress:
      return "in_progress";
    case TaskState::succeeded:
      return "succeeded";
    case TaskState::dead:
      return "dead";
    case TaskState::cancelled:
      return "cancelled";
    case TaskState::expired:
      return "expired";
  }
  return "unknown";
}

constexpr std::optional<TaskState> task_state_named(std::string_view name) {
  for (const TaskState state : kAllTaskStates) {
    if (name_of(state) == name) return state;
  }
  return std::nullopt;
}

constexpr bool is_terminal(TaskState state) {
  return state >= TaskState::succeeded;
}
constexpr std::size_t index_of(TaskState state) {
  return static_cast<std::size_t>(state);
}

// How one attempt ended, as the worker reports it.
enum class Outcome : std::uint8_t {
  succeeded = 1,
  failed = 2,           // retried while attempts are left
  failed_for_good = 3,  // straight to the dead-letter queue
  timed_out = 4,        // the worker ended it at its attempt timeout; retried
  crashed = 5,          // its process died by a signal; retried
  cancelled = 6,        // the worker ended it because the broker asked
  released = 7,         // handed back before it had any effect; costs no attempt
};

// Why an attempt or a task did not succeed.
enum class Reason : std::uint8_t {
  none = 0,
  failed = 1,           // the handler or program failed
  failed_for_good = 2,  // it said that trying again is useless
  timed_out = 3,        // over the attempt timeout
  crashed = 4,          // its process died by a signal
  lease_lost = 5,       // its worker fell silent, left, or did not return after a broker restart
  cancelled = 6,        // a client asked for the end
  expired = 7,          // its ttl passed before it started
};

constexpr std::string_view name_of(Reason reason) {
  switch (reason) {
    case Reason::none:
      return "none";
    case Reason::failed:
      return "failed";
    case Reason::failed_for_good:
      return "failed_for_good";
    case Reason::timed_out:
      return "timed_out";
    case Reason::crashed:
      return "crashed";
    case Reason::lease_lost:
      return "lease_lost";
    case Reason::cancelled:
      return "cancelled";
    case Reason::expired:
      return "expired";
  }
  return "unknown";
}

inline constexpr std::array<Reason, 7> kAllReasons = {
    Reason::failed,     Reason::failed_for_good, Reason::timed_out, Reason::crashed,
    Reason::lease_lost, Reason::cancelled,       Reason::expired};

constexpr std::optional<Reason> reason_named(std::string_view name) {
  for (const Reason reason : kAllReasons) {
    if (name_of(reason) == name) return reason;
  }
  return std::nullopt;
}

// Where a task stands: what it waits for, or how it ended.
enum class TaskStanding : std::uint8_t {
  delayed = 1,              // its delay or not_before has not passed
  retry_wait = 2,           // an attempt failed; the next one comes after its backoff
  queue_paused = 3,         // pending
  no_worker = 4,            // pending; no connected worker serves its queue
  workers_draining = 5,     // pending; every worker that serves its queue is told to take no more
  workers_unreachable = 6,  // pending; no message reaches those that would take it
  workers_full = 7,         // pending; every worker that serves its queue holds its fill
  broker_stopping = 8,      // pending; nothing starts any more
  running = 9,
  given_ahead = 10,     // leased to a worker that has other tasks to run first
  cancelling = 11,      // a client cancelled it; its worker is told to stop
  worker_awaited = 12,  // leased before a broker restart; its worker has not come back yet
  succeeded = 13,
  dead = 14,
  cancelled = 15,
  expired = 16,
};

constexpr std::string_view name_of(TaskStanding standing) {
  switch (standing) {
    case TaskStanding::delayed:
      return "delayed";
    case TaskStanding::retry_wait:
      return "retry_wait";
    case TaskStanding::queue_paused:
      return "queue_paused";
    case TaskStanding::no_worker:
      return "no_worker";
    case TaskStanding::workers_draining:
      return "workers_draining";
    case TaskStanding::workers_unreachable:
      return "workers_unreachable";
    case TaskStanding::workers_full:
      return "workers_full";
    case TaskStanding::broker_stopping:
      return "broker_stopping";
    case TaskStanding::running:
      return "running";
    case TaskStanding::given_ahead:
      return "given_ahead";
    case TaskStanding::cancelling:
      return "cancelling";
    case TaskStanding::worker_awaited:
      return "worker_awaited";
    case TaskStanding::succeeded:
      return "succeeded";
    case TaskStanding::dead:
      return "dead";
    case TaskStanding::cancelled:
      return "cancelled";
    case TaskStanding::expired:
      return "expired";
  }
  return "unknown";
}

constexpr std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::succeeded:
      return "succeeded";
    case Outcome::failed:
      return "failed";
    case Outcome::failed_for_good:
      return "failed_for_good";
    case Outcome::timed_out:
      return "timed_out";
    case Outcome::crashed:
      return "crashed";
    case Outcome::cancelled:
      return "cancelled";
    case Outcome::released:
      return "released";
  }
  return "unknown";
}

}  // namespace millrace
