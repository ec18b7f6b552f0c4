#include "worker/cpp/session.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace millrace::worker {
namespace {

constexpr std::uint32_t kStartsAheadMost = 1'024;

Completion make_completion(const HeldLease& lease, Outcome outcome, std::string error,
                           Duration elapsed) {
  Completion completion;
  completion.task = lease.task;
  completion.fence = lease.fence;
  completion.outcome = outcome;
  completion.error = std::move(error);
  completion.elapsed = elapsed;
  return completion;
}

}  // namespace

Session::Session(SessionSettings settings, Random random)
    : settings_(std::move(settings)),
      link_(LinkSettings{.hello_timeout = settings_.hello_timeout}, random),
      prefetch_(settings_.slots, settings_.prefetch_max) {
  MILLRACE_CHECK(settings_.slots >= 1, "a worker has a slot");
}

// ---- messages -----------------------------------------------------------------------------------

void Session::receive(const WorkerReply& reply, Time now, Actions& actions) {
  if (ended_) return;
  heard_ = now;
  link_.hear_message(now);
  std::visit([&](const auto& message) { on(message, now, actions); }, reply);
}

void Session::on(const WorkerWelcome& welcome, Time now, Actions& actions) {
  if (welcome.hello_number != link_.hello_number()) return;
  link_.welcome(welcome, now);
  limits_ = welcome.limits;
  was_open_ = true;
  actions.lost.clear();
  actions.welcomed =
      Welcomed{welcome.epoch, welcome.endpoints, welcome.limits, welcome.broker_version};
  for (const HeldLease& lease : welcome.stale) {
    stop(StoppedTask{lease.task, lease.fence, StopCause::stale_lease}, actions);
  }
  reports_.repeat_sent_until(now);
  start_waiting(now, actions);
}

void Session::on(const Dispatch& dispatch, Time now, Actions& actions) {
  // Sent before the broker knew what this worker holds: the Welcome's reckoning gives it on.
  if (!link_.open()) return;
  prefetch_.refilled();
  for (const DispatchedTask& task : dispatch.tasks) {
    const HeldLease lease{task.task, task.fence};
    if (reports_.holds(lease)) continue;
    if (attempts_.add(task, now) && draining_) release(lease);
  }
  start_waiting(now, actions);
}

void Session::on(const Completed& completed, Time, Actions&) {
  for (const CompletionAnswer& answer : completed.items) {
    const bool known = reports_.settle(HeldLease{answer.task, answer.fence});
    if (known && !answer.accepted) ++totals_.stale;
  }
}

void Session::on(const StopTasks& stopped, Time now, Actions& actions) {
  for (const StoppedTask& task : stopped.tasks) stop(task, actions);
  start_waiting(now, actions);
}

void Session::on(const Recall& recall, Time, Actions&) {
  if (!link_.open()) return;
  for (const HeldLease& lease : recall.tasks) {
    const Attempt* attempt = attempts_.find(lease);
    if (attempt != nullptr && attempts_.is_waiting(*attempt)) release(lease);
  }
  recalls_.push_back(recall.recall_number);
}

void Session::on(const Drain&, Time now, Actions& actions) {
  drain(now, actions);
}

void Session::on(const Refused& refused, Time now, Actions& actions) {
  switch (refused.code) {
    case ErrorCode::unknown_session:
      link_.session_unknown(now);
      lose_session("the broker does not know this session", actions);
      return;
    case ErrorCode::invalid:
    case ErrorCode::too_large:
    case ErrorCode::unsupported:
    case ErrorCode::forbidden:
      ended_ = true;
      actions.failure = Error{refused.code, "the broker refuses this worker: " + refused.message};
      return;
    default:
      // What was sent is repeated in its time; a Hello waits as long as the broker asks.
      if (link_.open() && refused.code != ErrorCode::shutting_down) return;
      link_.retry_later(refused.retry_after, now);
      lose_session("the broker takes no work now", actions);
  }
}

void Session::on(const BrokerGoodbye&, Time now, Actions& actions) {
  link_.retry_later(Duration(), now);
  lose_session("the broker says goodbye", actions);
}

void Session::hear_pulse(const Pulse& pulse, Time now, Actions& actions) {
  if (ended_) return;
  link_.hear_pulse(pulse, now);
  lose_session("the broker has restarted", actions);
}

void Session::connection_lost(Time now, Actions& actions) {
  if (ended_) return;
  link_.connection_lost(now);
  lose_session("the connection broke", actions);
}

// Notes the end of a session that was open until now; nothing otherwise.
void Session::lose_session(const char* reason, Actions& actions) {
  if (!was_open_ || link_.open()) return;
  was_open_ = false;
  recalls_.clear();
  actions.lost = reason;
}

// ---- attempts -----------------------------------------------------------------------------------

void Session::start_waiting(Time now, Actions& actions) {
  const std::size_t most =
      settings_.slots + prefetch_.finished_in(settings_.run_ahead, kStartsAheadMost);
  while (attempts_.running() < most && attempts_.next_waiting() != nullptr) {
    Attempt& attempt = attempts_.start_next(now);
    if (now - attempt.arrived > settings_.late_start) ask_extension(attempt, Duration(), 0);
    actions.starts.push_back(std::move(attempt.dispatched));
  }
}

void Session::resume(DispatchedTask task, Time now) {
  if (attempts_.add(std::move(task), now)) attempts_.start_next(now);
}

void Session::stop(const StoppedTask& stopped, Actions& actions) {
  const HeldLease lease{stopped.task, stopped.fence};
  const bool cancelled = stopped.cause == StopCause::cancelled;
  Attempt* attempt = attempts_.find(lease);
  if (attempt == nullptr) {
    // A completion on its way answers a cancel; any other stop means that nobody wants it.
    if (!cancelled) reports_.settle(lease);
    return;
  }
  if (attempts_.is_waiting(*attempt)) {
    attempts_.erase(lease);
    if (cancelled) report(make_completion(lease, Outcome::cancelled, "", Duration()));
    return;
  }
  if (attempt->abandoned) {
    if (!cancelled) reports_.settle(lease);
    return;
  }
  if (cancelled && attempt->cancelled) return;
  attempt->cancelled = cancelled;
  if (!cancelled) attempts_.abandon(*attempt);
  actions.stops.push_back(stopped);
}

void Session::finish(Completion completion, Time now, Actions& actions) {
  const HeldLease lease{completion.task, completion.fence};
  const Attempt* attempt = attempts_.find(lease);
  if (attempt == nullptr || attempts_.is_waiting(*attempt)) return;
  const bool abandoned = attempt->abandoned;
  const bool cancelled = attempt->cancelled;
  attempts_.erase(lease);
  if (ended_) return;
  if (!abandoned) {
    prefetch_.observe(completion.elapsed);
    if (cancelled) {
      completion = make_completion(lease, Outcome::cancelled, "", completion.elapsed);
    }
    report(std::move(completion));
  }
  start_waiting(now, actions);
  if (attempts_.waiting() == 0 && attempts_.running() < settings_.slots) prefetch_.ran_empty();
}

// Keeps a completion in the form that the broker takes, and counts it.
void Session::report(Completion completion) {
  if (completion.result.size() > limits_.result_bytes_max.value) {
    completion.outcome = Outcome::failed_for_good;
    completion.error = "result of " + std::to_string(completion.result.size()) +
                       " bytes is larger than " + std::to_string(limits_.result_bytes_max.value) +
                       ": store it elsewhere and return where";
  }
  if (completion.outcome == Outcome::succeeded) {
    completion.error.clear();
  } else {
    completion.result = SharedBytes();
    const std::size_t error_max = limits_.error_bytes_max.value;  // the end says most
    if (completion.error.size() > error_max) {
      completion.error.erase(0, completion.error.size() - error_max);
    }
  }
  switch (completion.outcome) {
    case Outcome::succeeded:
      ++totals_.succeeded;
      break;
    case Outcome::cancelled:
      ++totals_.cancelled;
      break;
    case Outcome::released:
      ++totals_.released;
      break;
    default:
      ++totals_.unsuccessful;
      break;
  }
  reports_.add(std::move(completion));
}

void Session::release(const HeldLease& lease) {
  attempts_.erase(lease);
  report(make_completion(lease, Outcome::released, "", Duration()));
}

void Session::release_waiting() {
  for (const HeldLease& lease : attempts_.waiting_leases()) release(lease);
}

void Session::extend(const Extension& extension, Time now, Actions&) {
  Attempt* attempt = attempts_.find(HeldLease{extension.task, extension.fence});
  if (ended_ || attempt == nullptr || attempts_.is_waiting(*attempt) || attempt->abandoned) return;
  Duration by = extension.by;
  if (by <= Duration()) {
    if (attempt->timeout <= Duration()) {
      by = Duration();  // a task without a timeout only reports its progress
    } else {
      by = std::max(attempt->timeout, attempt->deadline - now);
    }
  }
  if (by > Duration()) attempts_.set_deadline(*attempt, now + by);
  ask_extension(*attempt, by, extension.progress_percent);
}

// The newest wish of an attempt stands until it is sent.
void Session::ask_extension(Attempt& attempt, Duration by, std::uint8_t progress_percent) {
  if (!attempt.extension) {
    attempt.extension = Extension{attempt.lease.task, attempt.lease.fence, by, 0};
    extending_.push_back(attempt.lease);
  }
  attempt.extension->by = by;
  if (progress_percent > 0) attempt.extension->progress_percent = progress_percent;
}

// ---- the end ------------------------------------------------------------------------------------

void Session::drain(Time, Actions&) {
  if (ended_ || draining_) return;
  draining_ = true;
  release_waiting();
}

void Session::abandon(Time now, Actions& actions) {
  if (ended_) return;
  draining_ = true;
  release_waiting();
  for (const HeldLease& lease : attempts_.running_leases()) {
    actions.stops.push_back(StoppedTask{lease.task, lease.fence, StopCause::stale_lease});
    Attempt& attempt = *attempts_.find(lease);
    attempts_.abandon(attempt);
    const Duration ran = std::max(now - attempt.started, Duration::nanoseconds(1));
    report(make_completion(lease, Outcome::released, "", ran));
  }
  // A report that was lost must not be lost for good: after the goodbye, its lease would be handed
  // to another as if the task had never run.
  reports_.repeat_sent_until(now);
  send_completions(now, actions);
  if (link_.open()) actions.sends.push_back(WorkerGoodbye{"ended before its tasks did"});
  actions.finished = true;
  ended_ = true;
}

}  // namespace millrace::worker
