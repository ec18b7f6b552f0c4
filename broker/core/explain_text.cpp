#include "broker/core/explain_text.h"

#include "common/base/readable.h"

namespace millrace::broker {
namespace {

std::string ago(Time moment, Time now) {
  return age_text(now - moment) + " ago";
}

std::string attempt_of(const TaskView& task) {
  return "attempt " + std::to_string(task.attempts) + " of " + std::to_string(task.max_attempts);
}

std::string worker_of(const TaskView& task) {
  return task.worker.empty() ? std::string("its worker") : "worker " + task.worker;
}

std::string tasks_text(std::uint64_t count) {
  return grouped(count) + (count == 1 ? " task" : " tasks");
}

// What stands between a pending task and its start, once it may start.
std::string place_text(const Explained& e) {
  std::string text = "first in line";
  if (e.ahead > 0) {
    text = "behind " + std::string(e.ahead_is_estimate ? "about " : "") + tasks_text(e.ahead) +
           " of priority " + std::to_string(e.task.priority);
    if (e.task.priority < kPriorityHighest) text += " and above";
  }
  if (e.wait > Duration()) text += ", about " + age_text(e.wait);
  return text;
}

std::string workers_text(const Explained& e) {
  return (e.workers == 1
              ? "the worker of queue " + e.task.queue + " is"
              : "the " + grouped(e.workers) + " workers of queue " + e.task.queue + " are");
}

std::string reason_text(Reason reason) {
  switch (reason) {
    case Reason::none:
      return "the last one was handed back";
    case Reason::failed:
      return "the last one failed";
    case Reason::failed_for_good:
      return "the worker said that trying again is useless";
    case Reason::timed_out:
      return "the last one ran over its timeout of ";
    case Reason::crashed:
      return "the last one's process crashed";
    case Reason::lease_lost:
      return "the last one's worker was lost";
    case Reason::cancelled:
      return "a client cancelled it";
    case Reason::expired:
      return "its ttl passed before it first started";
  }
  return "the reason is not known";
}

std::string cause_text(const TaskView& task) {
  std::string text = reason_text(task.reason);
  if (task.reason == Reason::timed_out) text += age_text(task.timeout);
  return text;
}

std::string delayed_text(const Explained& e, Time now) {
  const std::string when = age_text(e.until - now);
  if (e.standing == TaskStanding::delayed) {
    const bool expires = !e.task.expires.is_none() && e.task.expires <= e.until;
    return "waits for its time: due in " + when + ", at " + to_rfc3339(e.until) +
           (expires ? "; its ttl ends before, so it expires" : "");
  }
  return "retry " + std::to_string(e.task.attempts + 1) + " of " +
         std::to_string(e.task.max_attempts) + " in " + when + ": " + cause_text(e.task);
}

std::string pending_text(const Explained& e) {
  const std::string& queue = e.task.queue;
  switch (e.standing) {
    case TaskStanding::queue_paused:
      return "queue " + queue + " is paused: `millrace queue resume " + queue + "`; " +
             place_text(e);
    case TaskStanding::no_worker:
      return "no worker serves queue " + queue + "; " + place_text(e);
    case TaskStanding::workers_draining:
      return workers_text(e) + " draining; " + place_text(e);
    case TaskStanding::workers_unreachable:
      return workers_text(e) + " not reachable at the moment; " + place_text(e);
    case TaskStanding::workers_full:
      return place_text(e) + "; " + workers_text(e) + " full";
    default:
      return "the broker is stopping: it starts nothing more; " + place_text(e);
  }
}

std::string running_text(const Explained& e, Time now) {
  const std::string lease = "lease ends in " + age_text(e.until - now);
  const std::string age = age_text(now - e.since);
  switch (e.standing) {
    case TaskStanding::given_ahead:
      return "given ahead to " + worker_of(e.task) + " " + age +
             " ago, which has other tasks to run first; " + lease;
    case TaskStanding::cancelling:
      return "a client cancelled it; " + worker_of(e.task) + " is told to stop; " + lease;
    case TaskStanding::worker_awaited:
      return "leased before the broker's restart; its worker has " + age_text(e.until - now) +
             " to come back";
    default: {
      std::string text =
          "in progress on " + worker_of(e.task) + " for " + age + ", " + attempt_of(e.task);
      if (e.task.progress_percent > 0) {
        text += ", " + std::to_string(e.task.progress_percent) + " %";
      }
      return text + "; " + lease;
    }
  }
}

std::string ended_text(const Explained& e, Time now) {
  const std::string when = ago(e.since, now) + ", at " + to_rfc3339(e.since);
  const std::string kept =
      e.until.is_none() ? std::string() : "; forgotten in " + age_text(e.until - now);
  switch (e.standing) {
    case TaskStanding::succeeded:
      return "succeeded " + when + ", " + attempt_of(e.task) + kept;
    case TaskStanding::dead:
      return "dead " + when + ", " + attempt_of(e.task) + ": " + cause_text(e.task) +
             "; `millrace dlq requeue " + to_text(e.task.id) + "` runs it again" + kept;
    case TaskStanding::expired:
      return "expired " + when + ": " + cause_text(e.task) + kept;
    default:
      return "cancelled " + when + ": " + cause_text(e.task) + kept;
  }
}

}  // namespace

std::string explanation_text(const Explained& explained, Time now) {
  switch (explained.standing) {
    case TaskStanding::delayed:
    case TaskStanding::retry_wait:
      return delayed_text(explained, now);
    case TaskStanding::queue_paused:
    case TaskStanding::no_worker:
    case TaskStanding::workers_draining:
    case TaskStanding::workers_unreachable:
    case TaskStanding::workers_full:
    case TaskStanding::broker_stopping:
      return pending_text(explained);
    case TaskStanding::running:
    case TaskStanding::given_ahead:
    case TaskStanding::cancelling:
    case TaskStanding::worker_awaited:
      return running_text(explained, now);
    case TaskStanding::succeeded:
    case TaskStanding::dead:
    case TaskStanding::cancelled:
    case TaskStanding::expired:
      return ended_text(explained, now);
  }
  return "not known";
}

}  // namespace millrace::broker
