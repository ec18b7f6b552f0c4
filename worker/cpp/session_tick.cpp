// What the session does as time passes, and all that it sends.
#include <algorithm>
#include <utility>

#include "worker/cpp/session.h"

namespace millrace::worker {

void Session::tick(Time now, Actions& actions) {
  if (ended_) return;
  end_overdue(now, actions);
  release_long_waiting(now);
  start_waiting(now, actions);
  repeat_unanswered(now);
  lose_session("its completions are not answered", actions);
  step_link(now, actions);
  send_completions(now, actions);
  send_extensions(actions);
  if (const auto number = link_.take_beat(now)) {
    actions.beats.push_back(Beat{settings_.worker, link_.nonce(), *number,
                                 static_cast<std::uint32_t>(attempts_.running()),
                                 static_cast<std::uint32_t>(attempts_.waiting())});
  }
  end_drain(now, actions);
}

Time Session::next_deadline() const {
  if (ended_) return Time::never();
  if (complete_due() || (link_.open() && !extending_.empty())) return Time();
  Time next = std::min({link_.next_deadline(), attempts_.next_deadline(), settle_by_});
  if (const Attempt* waiting = attempts_.next_waiting()) {
    next = std::min(next, waiting->arrived + settings_.waiting_max);
  }
  if (link_.open()) next = std::min(next, reports_.oldest_sent() + settings_.resend_after);
  return next;
}

// The attempt timeout is kept here: the attempt has ended for everybody else, while its slot stays
// occupied until the runner reports the real end.
void Session::end_overdue(Time now, Actions& actions) {
  for (const HeldLease& lease : attempts_.overdue(now)) {
    Attempt& attempt = *attempts_.find(lease);
    const std::int64_t allowed = (attempt.deadline - attempt.started).in_milliseconds();
    Completion completion;
    completion.task = lease.task;
    completion.fence = lease.fence;
    completion.outcome = attempt.cancelled ? Outcome::cancelled : Outcome::timed_out;
    completion.error = "timed out after " + to_text(Duration::milliseconds(allowed));
    completion.elapsed = now - attempt.started;
    attempts_.abandon(attempt);
    actions.stops.push_back(StoppedTask{lease.task, lease.fence, StopCause::timed_out});
    report(std::move(completion));
  }
}

// Idle workers elsewhere can start it at once; here it would wait on.
void Session::release_long_waiting(Time now) {
  for (const Attempt* attempt = attempts_.next_waiting();
       attempt != nullptr && attempt->arrived + settings_.waiting_max <= now;
       attempt = attempts_.next_waiting()) {
    prefetch_.hold();
    const HeldLease lease = attempt->lease;
    release(lease);
  }
}

void Session::repeat_unanswered(Time now) {
  if (!link_.open() || reports_.oldest_sent() + settings_.resend_after > now) return;
  // Pulses may flow while the DEALER is dead: then a Hello, and if need be a new socket, restores
  // it.
  if (now - heard_ > settings_.resend_after * 2) link_.connection_lost(now);
  reports_.repeat_sent_until(now - settings_.resend_after);
}

void Session::step_link(Time now, Actions& actions) {
  const Link::Step step = link_.step(now);
  lose_session("the broker is silent", actions);
  if (step == Link::Step::nothing) return;
  actions.reconnect = step == Link::Step::reconnect_and_say_hello;
  say_hello(actions);
}

void Session::say_hello(Actions& actions) {
  WorkerHello hello;
  hello.hello_number = link_.hello_number();
  hello.worker = settings_.worker;
  hello.name = settings_.name;
  hello.queues = settings_.queues;
  hello.slots = settings_.slots;
  hello.credit = credit();
  hello.version = settings_.version;
  hello.holding = holding();
  credit_told_ = hello.credit;
  actions.sends.push_back(std::move(hello));
}

std::vector<HeldLease> Session::holding() const {
  std::vector<HeldLease> held = reports_.leases();
  for (const HeldLease& lease : attempts_.running_leases()) held.push_back(lease);
  for (const HeldLease& lease : attempts_.waiting_leases()) held.push_back(lease);
  return held;
}

std::uint32_t Session::credit() const {
  if (draining_) return 0;
  const auto stuck = static_cast<std::uint32_t>(attempts_.abandoned());
  const std::uint32_t free = settings_.slots - std::min(settings_.slots, stuck);
  // With every slot stuck, a prefetched task could only wait.
  if (free == 0) return 0;
  return std::min(free + prefetch_.tasks(), limits_.credit_max);
}

bool Session::complete_due() const {
  return link_.open() && (reports_.has_unsent() || !recalls_.empty() || credit() != credit_told_);
}

void Session::send_completions(Time now, Actions& actions) {
  if (!complete_due()) return;
  const ByteCount bytes_max(limits_.frame_bytes_max.value / 2);
  credit_told_ = credit();
  std::size_t answered = 0;
  do {
    Complete complete;
    complete.items = reports_.take_batch(limits_.batch_items_max, bytes_max, now);
    complete.credit = credit_told_;
    // A recall's answer must not overtake what it hands back.
    if (!reports_.has_unsent() && answered < recalls_.size()) {
      complete.answers_recall = recalls_[answered++];
    }
    actions.sends.push_back(std::move(complete));
  } while (reports_.has_unsent() || answered < recalls_.size());
  recalls_.clear();
}

void Session::send_extensions(Actions& actions) {
  if (!link_.open() || extending_.empty()) return;
  Extend extend;
  for (const HeldLease& lease : extending_) {
    Attempt* attempt = attempts_.find(lease);
    if (attempt == nullptr || attempt->abandoned || !attempt->extension) continue;
    extend.items.push_back(*attempt->extension);
    attempt->extension.reset();
    if (extend.items.size() == limits_.batch_items_max) {
      actions.sends.push_back(std::exchange(extend, Extend()));
    }
  }
  if (!extend.items.empty()) actions.sends.push_back(std::move(extend));
  extending_.clear();
}

void Session::end_drain(Time now, Actions& actions) {
  if (!draining_ || attempts_.running() > attempts_.abandoned()) return;
  if (settle_by_ == Time::never()) settle_by_ = now + settings_.settle_max;
  if (reports_.size() > 0 && now < settle_by_) return;
  reports_.repeat_sent_until(now);  // as in abandon: nothing unanswered may be lost for good
  send_completions(now, actions);
  if (link_.open()) actions.sends.push_back(WorkerGoodbye{"drained"});
  actions.finished = true;
  ended_ = true;
}

}  // namespace millrace::worker
