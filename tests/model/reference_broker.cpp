#include "tests/model/reference_broker.h"

#include <algorithm>

namespace millrace::broker::test {
namespace {

// The promise of docs: doubled each time, at most the maximum.
Duration full_backoff(const Backoff& backoff, std::uint16_t attempts) {
  Duration delay = backoff.initial;
  for (std::uint16_t i = 1; i < attempts; ++i) delay = std::min(delay * 2, backoff.max);
  return std::min(delay, backoff.max);
}

Reason reason_for(Outcome outcome) {
  switch (outcome) {
    case Outcome::failed:
      return Reason::failed;
    case Outcome::failed_for_good:
      return Reason::failed_for_good;
    case Outcome::timed_out:
      return Reason::timed_out;
    case Outcome::crashed:
      return Reason::crashed;
    case Outcome::cancelled:
      return Reason::cancelled;
    default:
      return Reason::none;
  }
}

}  // namespace

void ReferenceBroker::begin(Time now) {
  now_ = now;
  if (last_turn_.has_value() && now - *last_turn_ > settings_.stall_min) {
    stalled_ += (now - *last_turn_) - settings_.tick_interval_max;
  }
  last_turn_ = now;
}

ReferenceTask* ReferenceBroker::find(const TaskId& id) {
  const auto found = tasks_.find(id);
  return found == tasks_.end() ? nullptr : &found->second;
}

std::optional<WorkerId> ReferenceBroker::id_of(PeerId peer) const {
  for (const auto& [id, worker] : workers_) {
    if (worker.peer == peer) return id;
  }
  return std::nullopt;
}

std::vector<TaskId> ReferenceBroker::held_by(const WorkerId& worker) const {
  std::vector<std::pair<std::uint64_t, TaskId>> held;
  for (const auto& [id, task] : tasks_) {
    if (task.holder == worker) held.emplace_back(task.lease_order, id);
  }
  std::sort(held.begin(), held.end());
  std::vector<TaskId> ids;
  for (const auto& entry : held) ids.push_back(entry.second);
  return ids;
}

ReferenceTask* ReferenceBroker::held(PeerId peer, const TaskId& id, Fence fence) {
  ReferenceTask* task = find(id);
  const std::optional<WorkerId> worker = id_of(peer);
  const bool holds = task != nullptr && worker.has_value() && task->holder == worker &&
                     task->state == TaskState::in_progress && task->fence == fence.value;
  return holds ? task : nullptr;
}

// ---- the life of a task -------------------------------------------------------------------------

void ReferenceBroker::wait_until(ReferenceTask& task, Time from, Time until) {
  task.holder.reset();
  const bool now = until <= now_;
  task.state = now ? TaskState::pending : TaskState::delayed;
  task.due_from = now ? Time() : from;
  task.due_until = now ? Time() : until;
}

void ReferenceBroker::end(ReferenceTask& task, TaskState state, Reason reason) {
  task.holder.reset();
  task.state = state;
  task.reason = reason;
  task.ended = now_;
  task.due_from = task.due_until = task.expires = Time();
  for (auto at = watches_.begin(); at != watches_.end();) {
    if (at->first != task.spec.id) {
      ++at;
      continue;
    }
    finished_.emplace(at->second, task.spec.id, state, task.attempts);
    at = watches_.erase(at);
  }
}

void ReferenceBroker::fail(ReferenceTask& task, Reason reason) {
  if (task.cancel_requested) return end(task, TaskState::cancelled, Reason::cancelled);
  if (reason == Reason::failed_for_good || task.attempts >= task.spec.max_attempts) {
    return end(task, TaskState::dead, reason);
  }
  task.reason = reason;
  task.expires = Time();
  const Duration full =
      reason == Reason::lease_lost ? Duration() : full_backoff(task.spec.backoff, task.attempts);
  wait_until(task, now_ + full / 2, now_ + full);
}

void ReferenceBroker::release(ReferenceTask& task, bool may_have_started) {
  if (may_have_started) task.expires = Time();
  if (task.cancel_requested) return end(task, TaskState::cancelled, Reason::cancelled);
  --task.attempts;
  task.reason = Reason::none;
  wait_until(task, now_, now_);
}

void ReferenceBroker::arm(ReferenceTask& task, Duration length) {
  task.lease_deadline = lease_now() + length + settings_.timeout_grace;
}

void ReferenceBroker::forget(const TaskId& id) {
  tasks_.erase(id);
}

// ---- clients ------------------------------------------------------------------------------------

SubmitStatus ReferenceBroker::submit(PeerId client, const TaskSpec& spec, bool wants_watch) {
  if (const ReferenceTask* known = find(spec.id)) {
    if (known->spec.content_hash != spec.content_hash) return SubmitStatus::conflict;
    if (wants_watch) watch(client, spec.id);
    return SubmitStatus::duplicate;
  }
  if (!accepting_) return SubmitStatus::store_full;
  std::uint64_t counted = 0;
  for (const auto& [id, task] : tasks_) {
    counted += !is_terminal(task.state) || task.state == TaskState::dead ? 1 : 0;
  }
  if (counted >= settings_.tasks_max) return SubmitStatus::busy;
  ReferenceTask& task = tasks_[spec.id];
  task.spec = spec;
  task.sequence = ++last_sequence_;
  if (spec.ttl > Duration()) task.expires = now_ + spec.ttl;
  wait_until(task, now_ + spec.delay, now_ + spec.delay);
  queues_.insert(spec.queue);
  if (wants_watch) watch(client, spec.id);
  return SubmitStatus::accepted;
}

bool ReferenceBroker::watch(PeerId client, const TaskId& id) {
  const ReferenceTask* task = find(id);
  if (task == nullptr) return false;
  if (is_terminal(task->state)) {
    finished_.emplace(client, id, task->state, task->attempts);
  } else {
    watches_.emplace(id, client);
  }
  return true;
}

CancelAnswer ReferenceBroker::cancel(const TaskId& id) {
  ReferenceTask* task = find(id);
  if (task == nullptr) return {CancelStatus::not_found, TaskState::cancelled};
  if (task->state == TaskState::cancelled) return {CancelStatus::cancelled, TaskState::cancelled};
  if (is_terminal(task->state)) return {CancelStatus::already_finished, task->state};
  if (task->state == TaskState::in_progress) {
    task->cancel_requested = true;
    return {CancelStatus::cancelling, TaskState::in_progress};
  }
  end(*task, TaskState::cancelled, Reason::cancelled);
  return {CancelStatus::cancelled, TaskState::cancelled};
}

std::uint64_t ReferenceBroker::requeue_dead(const TaskId& id) {
  ReferenceTask* task = find(id);
  if (task == nullptr || task->state != TaskState::dead) return 0;
  task->attempts = 0;
  task->reason = Reason::none;
  task->ended = Time();
  task->ended_as.reset();
  wait_until(*task, now_, now_);
  return 1;
}

std::uint64_t ReferenceBroker::purge_dead(const TaskId& id) {
  const ReferenceTask* task = find(id);
  if (task == nullptr || task->state != TaskState::dead) return 0;
  forget(id);
  return 1;
}

void ReferenceBroker::pause(const std::string& queue, bool paused) {
  if (paused) {
    paused_.insert(queue);
  } else {
    paused_.erase(queue);
  }
}

std::uint64_t ReferenceBroker::purge(const std::string& queue) {
  std::uint64_t count = 0;
  for (auto& [id, task] : tasks_) {
    const bool waiting = task.state == TaskState::pending || task.state == TaskState::delayed;
    if (task.spec.queue != queue || !waiting) continue;
    end(task, TaskState::cancelled, Reason::cancelled);
    ++count;
  }
  return count;
}

// ---- workers ------------------------------------------------------------------------------------

ReferenceBroker::Hello ReferenceBroker::hello(PeerId peer, const WorkerHello& hello,
                                              std::vector<HeldLease>& stale) {
  const bool known = workers_.contains(hello.worker);
  if (known && hello.hello_number <= workers_[hello.worker].hello_number) return Hello::ignored;
  if (!known && workers_.size() >= settings_.workers_max) return Hello::refused;
  const std::optional<WorkerId> other = id_of(peer);
  if (other.has_value() && *other != hello.worker) lose(*other);
  ReferenceWorker& worker = workers_[hello.worker];
  worker.peer = peer;
  worker.hello_number = hello.hello_number;
  worker.queues = std::set<std::string>(hello.queues.begin(), hello.queues.end());
  worker.slots = hello.slots;
  worker.credit = hello.credit;
  hear(peer);
  std::set<TaskId> kept;
  for (const HeldLease& lease : hello.holding) {
    if (keeps(hello.worker, lease)) {
      kept.insert(lease.task);
    } else {
      stale.push_back(lease);
    }
  }
  for (const TaskId& id : held_by(hello.worker)) {
    if (!kept.contains(id)) release(tasks_[id]);
  }
  return Hello::welcome;
}

bool ReferenceBroker::keeps(const WorkerId& worker, const HeldLease& lease) {
  ReferenceTask* task = find(lease.task);
  if (task == nullptr || task->fence != lease.fence.value) return false;
  if (task->state != TaskState::in_progress) {
    if (task->state == TaskState::succeeded) return true;
    return task->state != TaskState::cancelled && task->ended_as.has_value() &&
           (*task->ended_as == Outcome::failed || *task->ended_as == Outcome::failed_for_good ||
            *task->ended_as == Outcome::crashed);
  }
  if (task->holder.has_value() && *task->holder != worker) return false;
  if (!task->holder.has_value()) task->lease_order = ++leases_;
  task->holder = worker;
  arm(*task, task->spec.timeout);
  return true;
}

void ReferenceBroker::hear(PeerId peer) {
  ReferenceWorker& worker = workers_[*id_of(peer)];
  worker.last_heard = lease_now();
  worker.parked_until.reset();
}

void ReferenceBroker::set_credit(PeerId peer, std::uint32_t credit) {
  workers_[*id_of(peer)].credit = credit;
}

bool ReferenceBroker::complete(PeerId peer, const Completion& completion) {
  ReferenceTask* task = held(peer, completion.task, completion.fence);
  const Outcome outcome = completion.outcome;
  if (task == nullptr) {
    if (outcome == Outcome::released) return true;
    task = find(completion.task);
    if (task == nullptr || task->fence != completion.fence.value) return false;
    if (task->state == TaskState::in_progress) return false;
    if (outcome == Outcome::cancelled) return task->state == TaskState::cancelled;
    return task->state != TaskState::cancelled && task->ended_as == outcome;
  }
  const bool cancelling = task->cancel_requested;
  if (outcome == Outcome::released) {
    release(*task, completion.elapsed > Duration());
    return true;
  }
  task->ended_as = outcome;
  if (outcome != Outcome::succeeded) {
    fail(*task, reason_for(outcome));
    return !cancelling || outcome == Outcome::cancelled;
  }
  end(*task, cancelling ? TaskState::cancelled : TaskState::succeeded,
      cancelling ? Reason::cancelled : Reason::none);
  return !cancelling;
}

bool ReferenceBroker::extend(PeerId peer, const Extension& extension) {
  ReferenceTask* task = held(peer, extension.task, extension.fence);
  if (task == nullptr) return false;
  arm(*task, extension.by > Duration() ? extension.by : task->spec.timeout);
  return true;
}

void ReferenceBroker::goodbye(PeerId peer) {
  const WorkerId id = *id_of(peer);
  for (const TaskId& task : held_by(id)) release(tasks_[task], true);
  workers_.erase(id);
}

void ReferenceBroker::beat(const WorkerId& worker) {
  if (workers_.contains(worker)) workers_[worker].last_heard = lease_now();
}

void ReferenceBroker::undeliverable(PeerId peer, const HeldLease& lease) {
  if (!knows(peer)) return;
  if (ReferenceTask* task = held(peer, lease.task, lease.fence)) release(*task);
  unreachable(peer);
}

void ReferenceBroker::unreachable(PeerId peer) {
  if (!knows(peer)) return;
  ReferenceWorker& worker = workers_[*id_of(peer)];
  if (!worker.parked_until.has_value()) worker.parked_until = now_ + Duration::milliseconds(500);
}

void ReferenceBroker::drain(const WorkerId& worker) {
  workers_[worker].draining = true;
}

void ReferenceBroker::lose(const WorkerId& worker) {
  for (const TaskId& id : held_by(worker)) fail(tasks_[id], Reason::lease_lost);
  workers_.erase(worker);
}

// ---- time ---------------------------------------------------------------------------------------

void ReferenceBroker::tick() {
  run_due();
  std::vector<std::pair<Time, WorkerId>> silent;
  for (const auto& [id, worker] : workers_) {
    const Time deadline = worker.last_heard + settings_.liveness.silence_max;
    if (deadline <= lease_now()) silent.emplace_back(deadline, id);
  }
  for (const auto& entry : silent) lose(entry.second);
  for (auto& [id, task] : tasks_) {
    if (task.state != TaskState::in_progress || task.lease_deadline > lease_now()) continue;
    if (task.holder.has_value()) task.ended_as = Outcome::timed_out;
    fail(task, task.holder.has_value() ? Reason::timed_out : Reason::lease_lost);
  }
  count_excess();
  for (auto& [id, worker] : workers_) {
    if (worker.parked_until.has_value() && *worker.parked_until <= now_) {
      worker.parked_until.reset();
    }
  }
}

void ReferenceBroker::run_due() {
  while (run_due_once()) {
  }
}

bool ReferenceBroker::run_due_once() {
  for (auto& [id, task] : tasks_) {
    const bool waiting = task.state == TaskState::pending || task.state == TaskState::delayed;
    if (waiting && !task.expires.is_none() && task.expires <= now_) {
      end(task, TaskState::expired, Reason::expired);
      return true;
    }
    if (task.state == TaskState::delayed && task.due_until <= now_) {
      wait_until(task, now_, now_);
      return true;
    }
    const bool retained = is_terminal(task.state) && task.state != TaskState::dead;
    if (retained && task.ended + task.spec.retention <= now_) {
      forget(id);
      return true;
    }
  }
  return false;
}

void ReferenceBroker::count_excess() {
  std::uint64_t retained = 0;
  for (const auto& [id, task] : tasks_) {
    retained += is_terminal(task.state) && task.state != TaskState::dead ? 1 : 0;
  }
  const std::uint64_t most = settings_.retained_tasks_max;
  excess_ = retained > most ? retained - most : 0;
}

// Which of several ends of one instant goes first is not promised.
std::optional<std::string> ReferenceBroker::forgotten(
    const std::set<std::uint64_t>& erased_sequences) {
  std::uint64_t count = 0;
  Time latest;
  for (auto at = tasks_.begin(); at != tasks_.end();) {
    const ReferenceTask& task = at->second;
    if (!erased_sequences.contains(task.sequence)) {
      ++at;
      continue;
    }
    if (!is_terminal(task.state) || task.state == TaskState::dead) {
      return "a task that is not done with was forgotten";
    }
    latest = std::max(latest, task.ended);
    ++count;
    at = tasks_.erase(at);
  }
  if (count != excess_) return "the wrong number of ended tasks was forgotten";
  for (const auto& [id, task] : tasks_) {
    const bool retained = is_terminal(task.state) && task.state != TaskState::dead;
    if (retained && task.ended < latest) return "a later end was forgotten before an earlier one";
  }
  return std::nullopt;
}

void ReferenceBroker::restart() {
  workers_.clear();
  watches_.clear();
  finished_.clear();
  accepting_ = true;
  stalled_ = Duration();
  last_turn_.reset();
  for (auto& [id, task] : tasks_) {
    task.holder.reset();
    if (task.state == TaskState::in_progress) task.lease_deadline = now_ + settings_.adoption_grace;
  }
}

}  // namespace millrace::broker::test
