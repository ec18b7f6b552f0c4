// What workers say: hello, completions, extensions, goodbye, beats; and what befalls them.
#include <algorithm>
#include <utility>

#include "broker/core/broker_core.h"

namespace millrace::broker {
namespace {

constexpr Duration kParkedFor = Duration::milliseconds(500);
constexpr std::size_t kLostWorkersMost = 10'000;

Reason reason_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::succeeded:
      return Reason::none;
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
    case Outcome::released:
      return Reason::none;
  }
  return Reason::failed;
}

}  // namespace

void BrokerCore::on_worker(FromWorker& event, Time now, Effects& out) {
  const PeerId peer = event.peer;
  WorkerMessage& message = event.message;
  if (auto* hello = std::get_if<WorkerHello>(&message)) {
    on_hello(peer, event.key, *hello, now, out);
    return;
  }
  const WorkerIndex index = workers_.find_peer(peer);
  if (index.is_none()) {
    out.sends.push_back(ToWorker{peer, Refused{RequestId(),
                                               ErrorCode::unknown_session,
                                               "this worker is not known here; say hello",
                                               {}}});
    out.forgotten.push_back(peer);
    return;
  }
  hear(index, now);
  if (auto* complete = std::get_if<Complete>(&message)) {
    on_complete(index, *complete, now, out);
  } else if (const auto* extend = std::get_if<Extend>(&message)) {
    on_extend(index, *extend, now, out);
  } else {
    while (workers_[index].leases.count > 0) {
      release(workers_[index].leases.head, Start::possible, now, out);
    }
    drop_worker(index, out);
  }
}

// Any message proves life and that the connection works.
void BrokerCore::hear(WorkerIndex index, Time now) {
  Worker& worker = workers_[index];
  worker.last_heard = lease_clock(now);
  if (worker.parked) {
    parked_.erase({worker.parked_until, index});
    worker.parked = false;
    workers_.refile(index);
  }
}

// ---- hello --------------------------------------------------------------------------------------

void BrokerCore::on_hello(PeerId peer, KeyNumber key, WorkerHello& message, Time now,
                          Effects& out) {
  const auto refuse = [&](ErrorCode code, std::string text) {
    out.sends.push_back(
        ToWorker{peer, Refused{RequestId(), code, std::move(text), settings_.retry_after}});
    if (workers_.find_peer(peer).is_none()) out.forgotten.push_back(peer);
  };
  WorkerIndex index = workers_.find(message.worker);
  if (!index.is_none() && workers_[index].key != key) {
    return refuse(ErrorCode::forbidden, "this worker id belongs to a worker with another key");
  }
  if (stopping_) {
    if (!index.is_none()) hear(index, now);  // refused, but alive: it keeps its leases
    return refuse(ErrorCode::shutting_down, "the broker is stopping");
  }
  if (!index.is_none() && message.hello_number <= workers_[index].hello_number) return;
  if (index.is_none() && workers_.size() >= settings_.workers_max) {
    return refuse(ErrorCode::busy, "the broker has its most workers");
  }
  std::optional<std::vector<QueueNumber>> queues = queues_named(message.queues, out);
  if (!queues.has_value()) return refuse(ErrorCode::busy, "the broker has its most queues");

  const WorkerIndex other = workers_.find_peer(peer);
  if (!other.is_none() && other != index) {
    lose_worker(other, "another worker took over its connection", now, out);
  }
  if (index.is_none()) {
    index = workers_.add(message.worker, peer, std::move(*queues));
    workers_[index].key = key;
    workers_[index].connected = now;
    workers_[index].silence_deadline = lease_clock(now) + settings_.liveness.silence_max;
    workers_.by_silence().emplace(workers_[index].silence_deadline, index);
    const auto lost = lost_.find(message.worker);
    if (lost != lost_.end()) {
      if (lost->second != peer) out.forgotten.push_back(lost->second);
      lost_.erase(lost);
      lost_order_.erase(std::find(lost_order_.begin(), lost_order_.end(), message.worker));
    }
  } else {
    if (workers_[index].peer != peer) {
      out.forgotten.push_back(workers_[index].peer);
      workers_.set_peer(index, peer);
    }
    workers_.set_queues(index, std::move(*queues));
  }
  Worker& worker = workers_[index];
  worker.hello_number = message.hello_number;
  worker.session = SessionNonce(random_.next() | 1);
  worker.name = std::move(message.name);
  worker.shared_name = SharedBytes::copy_of(worker.name);
  worker.version = std::move(message.version);
  worker.slots = std::max(message.slots, 1U);
  worker.credit = std::min(message.credit, settings_.limits.credit_max);
  worker.recall_number = 0;
  hear(index, now);

  WorkerWelcome welcome;
  welcome.hello_number = message.hello_number;
  welcome.session = worker.session;
  welcome.epoch = settings_.epoch;
  welcome.endpoints = settings_.endpoints;
  welcome.limits = settings_.limits;
  welcome.liveness = settings_.liveness;
  welcome.broker_version = settings_.version;
  welcome.stale = reconcile(index, message.holding, now, out);
  workers_.refile(index);
  out.sends.push_back(ToWorker{peer, std::move(welcome)});
  // Told to drain, it drains, over whatever connection.
  if (workers_[index].draining) out.sends.push_back(ToWorker{peer, Drain{}});
  stop_cancelled(index, out);
}

// The word to stop may have been lost with the old connection or with the old broker.
void BrokerCore::stop_cancelled(WorkerIndex index, Effects& out) {
  StopTasks stop;
  for (TaskIndex at = workers_[index].leases.head; !at.is_none(); at = tasks_[at].next) {
    const Task& task = tasks_[at];
    if (task.cancel_requested) {
      stop.tasks.push_back({task.id, task.fence(), StopCause::cancelled});
    }
  }
  if (!stop.tasks.empty()) out.sends.push_back(ToWorker{workers_[index].peer, std::move(stop)});
}

std::optional<std::vector<QueueNumber>> BrokerCore::queues_named(
    const std::vector<std::string>& names, Effects& out) {
  std::vector<QueueNumber> numbers;
  for (const std::string& name : names) {
    const QueueNumber number = find_or_add_queue(name, out);
    if (number.is_none()) return std::nullopt;
    numbers.push_back(number);
  }
  return numbers;
}

// What the worker holds it keeps, if the lease is still its own or waits for it since a restart;
// what it was given and does not hold never arrived. Returns what it must drop.
std::vector<HeldLease> BrokerCore::reconcile(WorkerIndex index,
                                             const std::vector<HeldLease>& holding, Time now,
                                             Effects& out) {
  std::vector<HeldLease> stale;
  std::vector<TaskIndex> kept;
  for (const HeldLease& held : holding) {
    const TaskIndex task = tasks_.find(held.task);
    if (!task.is_none() && keep_lease(index, held, now)) {
      kept.push_back(task);
    } else {
      stale.push_back(held);
    }
  }
  std::sort(kept.begin(), kept.end());
  std::vector<TaskIndex> never_arrived;
  for (TaskIndex at = workers_[index].leases.head; !at.is_none(); at = tasks_[at].next) {
    if (!std::binary_search(kept.begin(), kept.end(), at)) never_arrived.push_back(at);
  }
  for (const TaskIndex task : never_arrived) release(task, Start::never, now, out);
  return stale;
}

bool BrokerCore::keep_lease(WorkerIndex index, const HeldLease& held, Time now) {
  const TaskIndex task_index = tasks_.find(held.task);
  Task& task = tasks_[task_index];
  if (task.fence() != held.fence) return false;
  if (task.state != TaskState::in_progress) {
    // Its completion may have been accepted and the answer lost: let it ask again.
    const Reason reason = task.reason;
    return task.state == TaskState::succeeded || reason == Reason::failed ||
           reason == Reason::failed_for_good || reason == Reason::crashed;
  }
  if (!task.worker().is_none()) {
    if (task.worker() != index) return false;
    arm_lease(task_index, tasks_.terms_of(task).timeout, now);
    return true;
  }
  tasks_.remove(orphans_, task_index);
  task.set_worker(index);
  tasks_.append(workers_[index].leases, task_index);
  arm_lease(task_index, tasks_.terms_of(task).timeout, now);
  ++counters_.adopted_leases;
  return true;
}

// ---- completions --------------------------------------------------------------------------------

void BrokerCore::on_complete(WorkerIndex index, Complete& message, Time now, Effects& out) {
  Worker& worker = workers_[index];
  worker.credit = std::min(message.credit, settings_.limits.credit_max);
  Completed answer;
  answer.items.reserve(message.items.size());
  for (std::size_t at = 0; at < message.items.size(); ++at) {
    const std::size_t ahead = at + TaskTable::kLookAhead;
    if (ahead < message.items.size()) tasks_.prefetch(message.items[ahead].task);
    Completion& completion = message.items[at];
    const bool accepted = complete_one(index, completion, now, out);
    if (!accepted) ++counters_.stale_leases;
    answer.items.push_back({completion.task, completion.fence, accepted});
  }
  if (message.answers_recall != 0 && message.answers_recall == worker.recall_number) {
    worker.recall_number = 0;
  }
  workers_.refile(index);
  if (!answer.items.empty()) out.sends.push_back(ToWorker{worker.peer, std::move(answer)});
}

// True when the completion counts: now, or because it is a repeat of one that counted.
bool BrokerCore::complete_one(WorkerIndex index, Completion& completion, Time now, Effects& out) {
  const TaskIndex task_index = tasks_.find(completion.task);
  if (task_index.is_none()) return completion.outcome == Outcome::released;
  Task& task = tasks_[task_index];
  if (task.fence() != completion.fence || task.state != TaskState::in_progress ||
      task.worker() != index) {
    return completion.outcome == Outcome::released || is_repeat(task, completion);
  }
  Worker& worker = workers_[index];
  const Reason reason = reason_of(completion.outcome);
  if (completion.outcome == Outcome::released) {
    if (worker.recall_number != 0) ++counters_.recalled_tasks;
    const bool ran = completion.elapsed > Duration();
    release(task_index, ran ? Start::possible : Start::never, now, out);
    return true;
  }
  run_time_.record(now - task.moment);
  // A worker's own measure, within what the broker saw.
  worker.busy_time +=
      std::clamp(completion.elapsed, Duration(), std::max(now - task.moment, Duration()));
  if (completion.outcome != Outcome::succeeded) {
    const bool wins = completion.outcome == Outcome::cancelled || !task.cancel_requested;
    if (completion.outcome != Outcome::cancelled) ++worker.tasks_failed;
    fail_attempt(task_index, reason, std::move(completion.error), now, out);
    return wins;
  }
  if (task.cancel_requested) {
    end_task(task_index, TaskState::cancelled, Reason::cancelled, now, out, nullptr);
    return false;
  }
  ++worker.tasks_completed;
  end_task(task_index, TaskState::succeeded, Reason::none, now, out, &completion);
  return true;
}

// The answer to a completion under the newest fence was lost, and it comes again.
bool BrokerCore::is_repeat(const Task& task, const Completion& completion) const {
  if (task.fence() != completion.fence || task.state == TaskState::in_progress) return false;
  if (completion.outcome == Outcome::succeeded) return task.state == TaskState::succeeded;
  if (completion.outcome == Outcome::cancelled) return task.state == TaskState::cancelled;
  return task.reason == reason_of(completion.outcome);
}

// ---- extensions, beats, losses ------------------------------------------------------------------

void BrokerCore::on_extend(WorkerIndex index, const Extend& message, Time now, Effects& out) {
  StopTasks stale;
  for (const Extension& extension : message.items) {
    const TaskIndex task_index = tasks_.find(extension.task);
    Task* task = task_index.is_none() ? nullptr : &tasks_[task_index];
    if (task == nullptr || task->state != TaskState::in_progress || task->worker() != index ||
        task->fence() != extension.fence) {
      stale.tasks.push_back({extension.task, extension.fence, StopCause::stale_lease});
      continue;
    }
    task->progress_percent = std::max(task->progress_percent, extension.progress_percent);
    arm_lease(task_index, extension.by > Duration() ? extension.by : tasks_.terms_of(*task).timeout,
              now);
  }
  if (!stale.tasks.empty()) out.sends.push_back(ToWorker{workers_[index].peer, std::move(stale)});
}

// A beat of a worker that was given up for silent tells it so: it says hello and goes on. Every
// beat, because the answer to one may be lost, and an idle worker says nothing else.
void BrokerCore::on_beat(const BeatHeard& event, Time now, Effects& out) {
  const Beat& beat = event.beat;
  const WorkerIndex index = workers_.find(beat.worker);
  const bool known = !index.is_none() && workers_[index].key == event.key;
  if (known && workers_[index].session == beat.session) {
    Worker& worker = workers_[index];
    worker.last_heard = lease_clock(now);
    // The word to drain may have been lost; a repeat is harmless.
    if (worker.draining) out.sends.push_back(ToWorker{worker.peer, Drain{}});
    return;
  }
  ++counters_.unknown_beats;
  const auto lost = lost_.find(beat.worker);
  if (index.is_none() && lost != lost_.end()) {
    out.sends.push_back(ToWorker{
        lost->second,
        Refused{
            RequestId(), ErrorCode::unknown_session, "this worker fell silent; say hello", {}}});
  }
}

void BrokerCore::on_undeliverable(DispatchUndeliverable& event, Time now, Effects& out) {
  const WorkerIndex index = workers_.find_peer(event.peer);
  if (index.is_none()) return;
  for (const HeldLease& lease : event.leases) {
    const TaskIndex task_index = tasks_.find(lease.task);
    if (task_index.is_none()) continue;
    const Task& task = tasks_[task_index];
    if (task.state != TaskState::in_progress || task.worker() != index ||
        task.fence() != lease.fence) {
      continue;
    }
    release(task_index, Start::never, now, out);
  }
  park(index, now);
}

void BrokerCore::on_unreadable(SpecUnreadable& event, Time now, Effects& out) {
  const TaskIndex index = tasks_.find(event.task);
  if (index.is_none()) return;
  const Task& task = tasks_[index];
  if (task.state != TaskState::in_progress || task.fence() != event.fence) return;
  fail_attempt(index, Reason::failed_for_good, std::move(event.message), now, out);
}

// Gives the worker nothing until it is heard on its connection, or for a while. A recall on its way
// may be lost: it is made anew.
void BrokerCore::park(WorkerIndex index, Time now) {
  Worker& worker = workers_[index];
  worker.recall_number = 0;
  if (worker.parked) return;
  worker.parked = true;
  worker.parked_until = now + kParkedFor;
  parked_.emplace(worker.parked_until, index);
  workers_.refile(index);
}

// A worker of a revoked key hears nothing and is not remembered; a client loses its watches.
void BrokerCore::on_revoked(PeerId peer, Time now, Effects& out) {
  const WorkerIndex worker = workers_.find_peer(peer);
  if (!worker.is_none()) end_leases(worker, "its key was revoked", now, out);
  const ClientIndex client = clients_.find(peer);
  if (!client.is_none()) clients_.remove(tasks_, client);
}

// Ends the worker, too; its peer is the last of `out.forgotten`.
void BrokerCore::end_leases(WorkerIndex index, std::string_view error, Time now, Effects& out) {
  ++counters_.workers_lost;
  const std::string text = "worker " + workers_[index].name + ": " + std::string(error);
  while (workers_[index].leases.count > 0) {
    fail_attempt(workers_[index].leases.head, Reason::lease_lost, text, now, out);
  }
  drop_worker(index, out);
}

void BrokerCore::lose_worker(WorkerIndex index, std::string_view error, Time now, Effects& out) {
  const WorkerId id = workers_[index].id;
  const PeerId peer = workers_[index].peer;
  end_leases(index, error, now, out);
  out.forgotten.pop_back();  // its connection may still be there: it is told to say hello
  out.sends.push_back(ToWorker{
      peer,
      Refused{RequestId(), ErrorCode::unknown_session, "this worker fell silent; say hello", {}}});
  if (lost_.size() >= kLostWorkersMost) {
    const auto oldest = lost_.find(lost_order_.front());
    out.forgotten.push_back(oldest->second);
    lost_.erase(oldest);
    lost_order_.pop_front();
  }
  lost_[id] = peer;
  lost_order_.push_back(id);
}

void BrokerCore::drop_worker(WorkerIndex index, Effects& out) {
  Worker& worker = workers_[index];
  if (worker.parked) parked_.erase({worker.parked_until, index});
  out.forgotten.push_back(worker.peer);
  workers_.remove(index);
}

}  // namespace millrace::broker
