// What time brings: due and expired tasks, ended leases, silent peers, forgotten ends.
#include <algorithm>

#include "broker/core/broker_core.h"

namespace millrace::broker {

// A broker that stood still heard nobody: that is no sign that they are dead. Every lease and every
// silence moves by the time it stood still. Called first in a turn, and counts a gap once.
void BrokerCore::notice_stall(Time now) {
  if (last_tick_.is_none()) return;
  const Duration gap = now - last_tick_;
  if (gap <= settings_.stall_min) return;
  stalled_ += gap - settings_.tick_interval_max;
  ++counters_.stalls;
  last_tick_ = now;
}

void BrokerCore::run_due_tasks(Time now, Effects& out) {
  for (std::uint32_t work = 0; due_.first_time() <= now; ++work) {
    if (work == settings_.tick_work_max) {
      more_work_ = true;
      return;
    }
    const TaskIndex index = due_.first();
    const Task& task = tasks_[index];
    const Time expires = expiry_of(task);
    if (is_terminal(task.state)) {
      prune(index, out);
    } else if (!expires.is_none() && expires <= now) {
      end_task(index, TaskState::expired, Reason::expired, now, out, nullptr);
    } else {
      leave(index);
      make_pending(index, now);
    }
  }
}

void BrokerCore::run_lease_deadlines(Time now, Effects& out) {
  const Time lease_now = lease_clock(now);
  for (std::uint32_t work = 0; leases_.first_time() <= lease_now; ++work) {
    if (work == settings_.tick_work_max) {
      more_work_ = true;
      return;
    }
    const TaskIndex index = leases_.first();
    const Task& task = tasks_[index];
    if (task.worker().is_none() && stopping_) {
      // Its worker may well be back, but a stopping broker takes up nobody: the next one will.
      leases_.remove(index);
      leases_.add(index, lease_now + settings_.adoption_grace);
      continue;
    }
    if (task.worker().is_none()) {
      fail_attempt(index, Reason::lease_lost, "its worker did not come back after a broker restart",
                   now, out);
      continue;
    }
    out.sends.push_back(ToWorker{workers_[task.worker()].peer,
                                 StopTasks{{{task.id, task.fence(), StopCause::timed_out}}}});
    fail_attempt(index, Reason::timed_out,
                 "no report within " + to_text(tasks_.terms_of(task).timeout), now, out);
  }
}

// Deadlines are kept lazily: a peer that was heard since gets a new one when the old one comes up.
void BrokerCore::run_silences(Time now, Effects& out) {
  const Time lease_now = lease_clock(now);
  auto& workers = workers_.by_silence();
  while (!workers.empty() && workers.begin()->first <= lease_now) {
    const WorkerIndex index = workers.begin()->second;
    Worker& worker = workers_[index];
    const Time deadline = worker.last_heard + settings_.liveness.silence_max;
    if (deadline <= lease_now) {
      lose_worker(index, "fell silent", now, out);
      continue;
    }
    workers.erase(workers.begin());
    worker.silence_deadline = deadline;
    workers.emplace(deadline, index);
  }
  auto& clients = clients_.by_silence();
  while (!clients.empty() && clients.begin()->first <= lease_now) {
    const ClientIndex index = clients.begin()->second;
    Client& client = clients_[index];
    const Time deadline = client.last_heard + settings_.client_silence_max;
    if (deadline <= lease_now) {
      out.forgotten.push_back(client.peer);
      clients_.remove(tasks_, index);
      continue;
    }
    clients.erase(clients.begin());
    client.silence_deadline = deadline;
    clients.emplace(deadline, index);
  }
}

// A restart brings the tasks by sequence; they are forgotten by their ends.
void BrokerCore::order_retained() {
  std::vector<TaskIndex> ended;
  ended.reserve(retained_.count);
  while (retained_.count > 0) {
    ended.push_back(retained_.head);
    tasks_.remove(retained_, retained_.head);
  }
  std::stable_sort(ended.begin(), ended.end(), [this](TaskIndex a, TaskIndex b) {
    return tasks_[a].moment < tasks_[b].moment;
  });
  for (const TaskIndex index : ended) tasks_.append(retained_, index);
}

void BrokerCore::prune_retained(Effects& out) {
  const auto over = [this] {
    return retained_.count > settings_.retained_tasks_max ||
           retained_bytes_ > settings_.retained_bytes_max.value;
  };
  for (std::uint32_t work = 0; retained_.count > 0 && over(); ++work) {
    if (work == settings_.tick_work_max) {
      more_work_ = true;
      return;
    }
    prune(retained_.head, out);
  }
}

// Forgets an ended task for good.
void BrokerCore::prune(TaskIndex index, Effects& out) {
  const Task& task = tasks_[index];
  out.writes.push_back(EraseTask{task.sequence, task.spec_stored, task.result_bytes().value > 0,
                                 task.attempt_records});
  leave(index);
  ++totals_.pruned;
  tasks_.erase(index);
}

void BrokerCore::unpark(Time now) {
  while (!parked_.empty() && parked_.begin()->first <= now) {
    const WorkerIndex index = parked_.begin()->second;
    parked_.erase(parked_.begin());
    workers_[index].parked = false;
    workers_.refile(index);
  }
}

}  // namespace millrace::broker
