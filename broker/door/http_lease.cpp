#include "broker/door/http_lease.h"

#include <algorithm>
#include <utility>

namespace millrace::broker {
namespace {

worker::SessionSettings settings_of(HttpLease::Identity identity) {
  worker::SessionSettings settings;
  settings.worker = identity.worker;
  settings.name = std::move(identity.name);
  settings.queues = std::move(identity.queues);
  settings.version = std::move(identity.version);
  settings.slots = 1;
  settings.prefetch_max = 0;
  return settings;
}

bool names(const std::vector<StoppedTask>& stops, const HeldLease& lease, StopCause& cause) {
  const auto found = std::find_if(stops.begin(), stops.end(), [&](const StoppedTask& stop) {
    return HeldLease{stop.task, stop.fence} == lease;
  });
  if (found == stops.end()) return false;
  cause = found->cause;
  return true;
}

}  // namespace

HttpLease::HttpLease(Identity identity, Duration lease, Random random, Time now)
    : lease_(lease), session_(settings_of(std::move(identity)), random), phase_(Phase::seeking) {
  session_.start(now, actions_);
}

HttpLease::HttpLease(Identity identity, Duration lease, Random random, DispatchedTask task,
                     Time now)
    : lease_(lease), session_(settings_of(std::move(identity)), random), phase_(Phase::claiming) {
  session_.resume(task, now);
  take(std::move(task), now);
  session_.start(now, actions_);
}

// With its one task it wants no other: a draining session ends by itself once that is answered.
void HttpLease::take(DispatchedTask task, Time now) {
  task_ = std::move(task);
  granted_ = now;
  lapses_ = now + lease_;
  session_.drain(now, actions_);
}

void HttpLease::receive(const WorkerReply& reply, Time now) {
  if (phase_ == Phase::ended) return;
  if (const auto* completed = std::get_if<Completed>(&reply); completed && task_) {
    for (const CompletionAnswer& item : completed->items) {
      const bool ours = HeldLease{item.task, item.fence} == lease();
      if (ours && phase_ == Phase::reporting && answer_ == LeaseState::unknown) {
        answer_ = item.accepted ? LeaseState::accepted : LeaseState::stale;
      }
    }
  }
  if (phase_ == Phase::reporting && answer_ == LeaseState::unknown && tells_of_loss(reply)) {
    answer_ = LeaseState::stale;
  }
  session_.receive(reply, now, actions_);
  absorb(now);
}

// Whether it says that this lease is nobody's any more. The session drops the report then.
bool HttpLease::tells_of_loss(const WorkerReply& reply) const {
  if (const auto* welcome = std::get_if<WorkerWelcome>(&reply)) {
    const auto& stale = welcome->stale;
    return std::find(stale.begin(), stale.end(), lease()) != stale.end();
  }
  const auto* stop = std::get_if<StopTasks>(&reply);
  StopCause cause{};
  return stop != nullptr && names(stop->tasks, lease(), cause) && cause != StopCause::cancelled;
}

void HttpLease::hear_pulse(const Pulse& pulse, Time now) {
  if (phase_ == Phase::ended) return;
  session_.hear_pulse(pulse, now, actions_);
  absorb(now);
}

// What the session wants of whoever runs the tasks; the rest is for the shell.
void HttpLease::absorb(Time now) {
  if (actions_.failure) {
    failure_ = *actions_.failure;
    end(LeaseState::stale);
    return;
  }
  for (DispatchedTask& task : std::exchange(actions_.starts, {})) take(std::move(task), now);
  if (task_ && phase_ == Phase::seeking) {
    phase_ = Phase::held;
    answer_ = LeaseState::held;
  }
  const std::vector<StoppedTask> stops = std::exchange(actions_.stops, {});
  StopCause cause{};
  const bool stopped = task_ && names(stops, lease(), cause);
  if (stopped && cause == StopCause::cancelled) {
    if (phase_ == Phase::claiming) phase_ = Phase::held;
    if (phase_ == Phase::held) answer_ = LeaseState::cancelled;
  } else if (stopped && phase_ != Phase::reporting) {
    // Lost. The session waits for the real end of what ran; there is nothing here that runs.
    answer_ = LeaseState::stale;
    report(Outcome::failed, {}, "", now - granted_, now);
  }
  if (phase_ == Phase::claiming && actions_.welcomed) {
    phase_ = Phase::held;
    answer_ = LeaseState::held;
  }
  if (actions_.finished) end(answer_);
}

void HttpLease::heartbeat(const LeaseUpdate& update, Time now) {
  if (phase_ != Phase::held) return;
  if (answer_ == LeaseState::cancelled) {
    report(Outcome::cancelled, {}, "", now - granted_, now);
    return;
  }
  lapses_ = now + lease_;
  if (update.extend || update.progress_percent > 0) {
    session_.extend(
        {task_->task, task_->fence, update.extend.value_or(Duration()), update.progress_percent},
        now, actions_);
  }
}

void HttpLease::finish(Outcome outcome, SharedBytes result, std::string error, Time now) {
  if (phase_ != Phase::held) return;
  if (answer_ == LeaseState::held) answer_ = LeaseState::unknown;
  report(outcome, std::move(result), std::move(error), now - granted_, now);
}

void HttpLease::withdraw(Time now) {
  if (phase_ == Phase::held) {
    answer_ = LeaseState::unknown;
    report(Outcome::released, {}, "", Duration(), now);
  } else if (phase_ == Phase::seeking) {
    session_.drain(now, actions_);
    // In order behind a Hello that has no answer yet, or nobody would end that session.
    if (!session_.open()) actions_.sends.push_back(WorkerGoodbye{"asked no longer"});
  }
}

void HttpLease::report(Outcome outcome, SharedBytes result, std::string error, Duration elapsed,
                       Time now) {
  phase_ = Phase::reporting;
  Completion completion;
  completion.task = task_->task;
  completion.fence = task_->fence;
  completion.outcome = outcome;
  completion.error = std::move(error);
  completion.result = std::move(result);
  completion.elapsed = elapsed;
  session_.finish(std::move(completion), now, actions_);
}

void HttpLease::end(LeaseState answer) {
  phase_ = Phase::ended;
  answer_ = answer;
  actions_.finished = true;
}

worker::Actions HttpLease::tick(Time now) {
  if (phase_ == Phase::held && now >= lapses_) {
    const std::string error = "no heartbeat within the lease of " + to_text(lease_);
    finish(Outcome::timed_out, {}, error, now);
  }
  if (phase_ != Phase::ended) {
    session_.tick(now, actions_);
    absorb(now);
  }
  return std::exchange(actions_, {});
}

Time HttpLease::next_deadline() const {
  if (phase_ == Phase::ended || !actions_.sends.empty()) return Time();
  return phase_ == Phase::held ? std::min(lapses_, session_.next_deadline())
                               : session_.next_deadline();
}

}  // namespace millrace::broker
