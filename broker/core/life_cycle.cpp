// Every change of a task's state, as drawn in docs/architecture.md. enter() and leave() keep lists,
// timers and counts; the functions above them say what each change means.
#include <algorithm>
#include <limits>

#include "broker/core/broker_core.h"
#include "broker/core/retry_policy.h"

namespace millrace::broker {

// A ttl bounds the wait for the first start only; an unstarted task handed back has not had one.
Time BrokerCore::expiry_of(const Task& task) const {
  const Duration ttl = tasks_.terms_of(task).ttl;
  if (ttl == Duration() || task.ttl_over || is_terminal(task.state)) return Time();
  return task.accepted + ttl;
}

void BrokerCore::touch(TaskIndex index) {
  Task& task = tasks_[index];
  if (task.dirty) return;
  task.dirty = true;
  dirty_.push_back(index);
}

// Takes the task out of every structure of its present state.
void BrokerCore::leave(TaskIndex index) {
  Task& task = tasks_[index];
  Queue& queue = queues_[tasks_.terms_of(task).queue];
  --by_state_[index_of(task.state)];
  if (is_terminal(task.state)) task.set_last_lease(LastLeaseIndex());
  if (task.state == TaskState::in_progress) {
    leases_.remove(index);
  } else {
    due_.remove(index);
  }
  switch (task.state) {
    case TaskState::delayed:
      tasks_.remove(queue.delayed, index);
      break;
    case TaskState::pending:
      queue.ready.remove(tasks_, index);
      if (!queue.is_active()) workers_.refile_queue(queue.number);
      break;
    case TaskState::in_progress:
      --queue.in_progress;
      detach_from_worker(index);
      break;
    case TaskState::dead:
      tasks_.remove(queue.dead, index);
      break;
    case TaskState::succeeded:
    case TaskState::cancelled:
    case TaskState::expired:
      tasks_.remove(retained_, index);
      retained_bytes_ -= kRetainedOverheadBytes + task.result_bytes().value;
      break;
  }
}

void BrokerCore::detach_from_worker(TaskIndex index) {
  Task& task = tasks_[index];
  const WorkerIndex worker = task.worker();
  if (worker.is_none()) {
    tasks_.remove(orphans_, index);
    return;
  }
  tasks_.remove(workers_[worker].leases, index);
  workers_.note_change(worker);
  task.set_worker(WorkerIndex());
}

// Puts the task into the structures of `state`. In progress: the worker is set by the caller
// before.
void BrokerCore::enter(TaskIndex index, TaskState state, Time now) {
  Task& task = tasks_[index];
  Queue& queue = queues_[tasks_.terms_of(task).queue];
  task.state = state;
  ++by_state_[index_of(state)];
  touch(index);
  switch (state) {
    case TaskState::delayed:
      tasks_.append(queue.delayed, index);
      break;
    case TaskState::pending: {
      task.moment = now;
      const bool was_active = queue.is_active();
      queue.ready.insert(tasks_, index);
      if (!was_active && queue.is_active()) workers_.refile_queue(queue.number);
      break;
    }
    case TaskState::in_progress:
      task.moment = now;
      task.progress_percent = 0;
      ++queue.in_progress;
      if (task.worker().is_none()) {
        tasks_.append(orphans_, index);
      } else {
        tasks_.append(workers_[task.worker()].leases, index);
      }
      break;
    case TaskState::dead:
      tasks_.append(queue.dead, index);
      break;
    case TaskState::succeeded:
    case TaskState::cancelled:
    case TaskState::expired:
      tasks_.append(retained_, index);
      retained_bytes_ += kRetainedOverheadBytes + task.result_bytes().value;
      due_.add(index, task.moment + tasks_.terms_of(task).retention);
      break;
  }
}

void BrokerCore::make_pending(TaskIndex index, Time now) {
  enter(index, TaskState::pending, now);
  const Time expires = expiry_of(tasks_[index]);
  if (!expires.is_none()) due_.add(index, expires);
}

void BrokerCore::make_delayed(TaskIndex index, Time due, Time now) {
  if (due <= now) {
    make_pending(index, now);
    return;
  }
  Task& task = tasks_[index];
  task.moment = due;
  enter(index, TaskState::delayed, now);
  const Time expires = expiry_of(task);
  due_.add(index, expires.is_none() ? due : std::min(due, expires));
}

// The attempt and its fence are durable before the worker hears of them: promise P4.
void BrokerCore::make_in_progress(TaskIndex index, WorkerIndex worker, Time now) {
  Task& task = tasks_[index];
  queue_wait_.record(now - task.moment);
  leave(index);
  MILLRACE_CHECK(task.last_fence < std::numeric_limits<std::uint32_t>::max(), "fences only grow");
  ++task.last_fence;
  ++task.attempts;
  task.set_worker(worker);
  enter(index, TaskState::in_progress, now);
  arm_lease(index, tasks_.terms_of(task).timeout, now);
}

void BrokerCore::arm_lease(TaskIndex index, Duration length, Time now) {
  leases_.remove(index);
  leases_.add(index, lease_clock(now) + length + settings_.timeout_grace);
}

void BrokerCore::end_task(TaskIndex index, TaskState state, Reason reason, Time now, Effects& out,
                          const Completion* completion) {
  MILLRACE_CHECK(is_terminal(state), "a task ends in a terminal state");
  MILLRACE_CHECK(state != TaskState::succeeded || completion != nullptr, "a success is reported");
  Task& task = tasks_[index];
  const std::vector<ClientIndex> watchers = clients_.take_watchers(tasks_, index);
  const LastLeaseIndex last_lease = note_last_lease(task);
  leave(index);
  task.reason = reason;
  task.moment = now;
  if (state == TaskState::succeeded && !completion->result.empty()) {
    task.set_result_bytes(completion->result.size());
    out.writes.push_back(PutResult{task.sequence, completion->result});
  }
  if (state != TaskState::dead && task.spec_stored) {
    task.spec_stored = false;
    out.writes.push_back(EraseSpec{task.sequence});
  }
  std::uint64_t& ends = state == TaskState::succeeded   ? totals_.succeeded
                        : state == TaskState::dead      ? totals_.dead
                        : state == TaskState::cancelled ? totals_.cancelled
                                                        : totals_.expired;
  ++ends;
  enter(index, state, now);
  task.set_last_lease(last_lease);
  for (const ClientIndex client : watchers) add_finished(client, index, out, completion);
}

// Keeps until the end of the turn who held the task and since when; none: nobody did.
LastLeaseIndex BrokerCore::note_last_lease(const Task& task) {
  if (task.state != TaskState::in_progress) return LastLeaseIndex();
  const bool held = !task.worker().is_none();
  last_leases_.push_back({task.moment, held ? workers_[task.worker()].shared_name : SharedBytes()});
  return LastLeaseIndex(static_cast<std::uint32_t>(last_leases_.size()));
}

// An attempt ended without success: the dead-letter queue, the end as cancelled, or another try.
void BrokerCore::fail_attempt(TaskIndex index, Reason reason, std::string error, Time now,
                              Effects& out) {
  Task& task = tasks_[index];
  AttemptRecord record;
  record.attempt = task.attempts;
  record.fence = task.fence();
  record.reason = reason;
  record.started = task.moment;
  record.ended = now;
  record.worker = name_of_holder(task);
  record.error = error;
  ++task.attempt_records;
  task.ttl_over = true;
  out.writes.push_back(PutAttempt{task.sequence, task.attempt_records, record});
  if (reason == Reason::lease_lost) ++totals_.lease_losses;
  if (reason == Reason::timed_out) ++totals_.timeouts;

  Completion ending;
  ending.error = std::move(error);
  if (task.cancel_requested) {
    end_task(index, TaskState::cancelled, Reason::cancelled, now, out, &ending);
  } else if (reason == Reason::failed_for_good ||
             task.attempts >= tasks_.terms_of(task).max_attempts) {
    end_task(index, TaskState::dead, reason, now, out, &ending);
  } else {
    leave(index);
    ++totals_.retries;
    task.reason = reason;
    // A lost lease says nothing against the task: it goes on elsewhere at once.
    const Duration delay = reason == Reason::lease_lost
                               ? Duration()
                               : retry_delay(tasks_.terms_of(task).backoff, task.attempts, random_);
    make_delayed(index, now + delay, now);
  }
}

// A lease ends without having had any effect: it costs no attempt.
void BrokerCore::release(TaskIndex index, Start start, Time now, Effects& out) {
  Task& task = tasks_[index];
  if (start == Start::possible) task.ttl_over = true;
  if (task.cancel_requested) {
    end_task(index, TaskState::cancelled, Reason::cancelled, now, out, nullptr);
    return;
  }
  leave(index);
  --task.attempts;
  task.reason = Reason::none;  // of an attempt before; nothing ended under this fence
  make_pending(index, now);
}

void BrokerCore::requeue(TaskIndex index, Time now, Effects& out) {
  Task& task = tasks_[index];
  leave(index);
  if (task.attempt_records > 0) {
    out.writes.push_back(EraseAttempts{task.sequence, task.attempt_records});
  }
  task.attempt_records = 0;
  task.attempts = 0;
  task.ttl_over = true;
  task.reason = Reason::none;
  ++totals_.requeued;
  make_pending(index, now);
}

// `completion` has the result and the error of this very turn; without it the outbox reads them.
void BrokerCore::add_finished(ClientIndex client, TaskIndex index, Effects& out,
                              const Completion* completion) {
  Client& waiting = clients_[client];
  if (waiting.finished_slot == 0) {
    out.sends.push_back(FinishedToClient{waiting.peer, {}});
    waiting.finished_slot = static_cast<std::uint32_t>(out.sends.size());
    told_.push_back(client);
  }
  const Task& task = tasks_[index];
  FinishedToClient::Item item;
  item.sequence = task.sequence;
  item.task.id = task.id;
  item.task.state = task.state;
  item.task.reason = task.reason;
  item.task.attempts = task.attempts;
  if (completion != nullptr) {
    item.task.error = completion->error;
    if (task.state == TaskState::succeeded) item.task.result = completion->result;
  } else {
    item.read_result = task.result_bytes().value > 0;
    item.read_error = task.state != TaskState::succeeded && task.attempt_records > 0;
    item.attempt_records = task.attempt_records;
  }
  std::get<FinishedToClient>(out.sends[waiting.finished_slot - 1]).items.push_back(std::move(item));
}

std::string BrokerCore::name_of_holder(const Task& task) const {
  return task.worker().is_none() ? std::string() : workers_[task.worker()].name;
}

}  // namespace millrace::broker
