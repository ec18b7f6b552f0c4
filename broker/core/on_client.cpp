// What clients ask for.
#include <algorithm>
#include <utility>

#include "broker/core/broker_core.h"

namespace millrace::broker {

void BrokerCore::on_client(FromClient& event, Time now, Effects& out) {
  const PeerId peer = event.peer;
  const ClientIndex client = client_of(peer, now, out);
  if (client.is_none()) {
    const RequestId request = std::visit(
        [](const auto& m) {
          if constexpr (requires { m.request; }) return m.request;
          return RequestId();
        },
        event.message);
    out.sends.push_back(ToClient{
        peer, Refused{request, ErrorCode::busy, "the broker has its most clients; try again later",
                      settings_.retry_after}});
    out.forgotten.push_back(peer);
    return;
  }
  scope_ = event.scope;
  std::visit([&](auto& m) { on(client, m, now, out); }, event.message);
  scope_ = nullptr;
}

// None, too, for a task that the client may not know of.
TaskIndex BrokerCore::find_for_client(const TaskId& id) const {
  const TaskIndex index = tasks_.find(id);
  return index.is_none() || is_in_scope(tasks_.terms_of(tasks_[index]).queue) ? index : TaskIndex();
}

bool BrokerCore::is_in_scope(QueueNumber queue) const {
  return scope_ == nullptr || scope_->includes(queues_[queue].name);
}

// Knows the client from its first message on; a hello is for what its Welcome tells.
ClientIndex BrokerCore::client_of(PeerId peer, Time now, Effects&) {
  ClientIndex index = clients_.find(peer);
  if (index.is_none()) {
    if (clients_.size() >= settings_.clients_max) return ClientIndex();
    index = clients_.add(peer);
    clients_[index].silence_deadline = lease_clock(now) + settings_.client_silence_max;
    clients_.by_silence().emplace(clients_[index].silence_deadline, index);
  }
  clients_[index].last_heard = lease_clock(now);
  return index;
}

void BrokerCore::on(ClientIndex client, ClientHello& message, Time, Effects& out) {
  const PeerId peer = clients_[client].peer;
  out.sends.push_back(ToClient{
      peer, ClientWelcome{message.request, settings_.epoch, settings_.endpoints, settings_.limits,
                          settings_.liveness.beat_interval, settings_.version}});
}

// ---- submit -------------------------------------------------------------------------------------

void BrokerCore::on(ClientIndex client, Submit& message, Time now, Effects& out) {
  Submitted answer;
  answer.request = message.request;
  answer.items.reserve(message.tasks.size());
  for (std::size_t at = 0; at < message.tasks.size(); ++at) {
    const std::size_t ahead = at + TaskTable::kLookAhead;
    if (ahead < message.tasks.size()) tasks_.prefetch(message.tasks[ahead].spec.id);
    SubmitItem& item = message.tasks[at];
    answer.items.push_back(submit_one(client, item, message.watch, now, out));
    const SubmitStatus status = answer.items.back().status;
    if (status == SubmitStatus::duplicate) ++counters_.duplicates;
    if (status > SubmitStatus::duplicate) ++counters_.refused_submits;
    if (status >= SubmitStatus::busy) answer.retry_after = settings_.retry_after;
  }
  out.sends.push_back(ToClient{clients_[client].peer, std::move(answer)});
}

SubmitAnswer BrokerCore::submit_one(ClientIndex client, SubmitItem& item, bool watch, Time now,
                                    Effects& out) {
  if (item.problem.has_value()) {
    return {item.problem->code == ErrorCode::too_large ? SubmitStatus::too_large
                                                       : SubmitStatus::invalid,
            item.problem->message};
  }
  const TaskSpec& spec = item.spec;
  const TaskIndex known = tasks_.find(spec.id);
  if (!known.is_none()) return resubmit(client, known, spec, watch, out);
  if (std::optional<SubmitAnswer> refusal = refuse_submit()) return std::move(*refusal);
  const QueueNumber queue = find_or_add_queue(spec.queue, out);
  if (queue.is_none()) {
    return {SubmitStatus::busy, "the broker has its most queues (" +
                                    std::to_string(settings_.queues_max) +
                                    "); use one that exists"};
  }
  const TaskIndex index = accept(spec, queue, now, out);
  if (watch && !add_watch(client, index, out)) {
    // Accepted all the same: the client's own Watch comes later and is answered then.
    return {SubmitStatus::accepted, "not watched: the broker has its most watches"};
  }
  return {};
}

SubmitAnswer BrokerCore::resubmit(ClientIndex client, TaskIndex index, const TaskSpec& spec,
                                  bool watch, Effects& out) {
  if (tasks_[index].content_hash != spec.content_hash) {
    return {SubmitStatus::conflict,
            "task " + to_text(spec.id) + " was accepted before with other content; use a fresh id"};
  }
  if (watch && !add_watch(client, index, out)) {
    return {SubmitStatus::duplicate, "not watched: the broker has its most watches"};
  }
  return {SubmitStatus::duplicate, ""};
}

std::optional<SubmitAnswer> BrokerCore::refuse_submit() const {
  if (stopping_) return SubmitAnswer{SubmitStatus::shutting_down, "the broker is stopping"};
  if (!store_accepting_) {
    return SubmitAnswer{SubmitStatus::store_full,
                        "the store is nearly full; running tasks finish, new ones must wait"};
  }
  if (tasks_.size() - retained_.count >= settings_.tasks_max) {
    return SubmitAnswer{SubmitStatus::busy, "the broker holds its most tasks (" +
                                                std::to_string(settings_.tasks_max) + ")"};
  }
  return std::nullopt;
}

TaskIndex BrokerCore::accept(const TaskSpec& spec, QueueNumber queue, Time now, Effects& out) {
  TaskTerms terms;
  terms.queue = queue;
  terms.priority = spec.priority;
  terms.max_attempts = spec.max_attempts;
  terms.timeout = spec.timeout > Duration() ? spec.timeout : settings_.timeout_default;
  terms.retention = spec.retention >= Duration() ? spec.retention : settings_.retention_default;
  terms.ttl = std::max(spec.ttl, Duration());
  terms.backoff = spec.backoff;
  const TaskIndex index = tasks_.insert(spec.id, terms);
  Task& task = tasks_[index];
  task.sequence = TaskSequence(++totals_.last_sequence);
  task.content_hash = spec.content_hash;
  task.accepted = now;
  task.payload_bytes = static_cast<std::uint32_t>(spec.payload_bytes.value);
  task.spec_stored = true;
  ++totals_.accepted;
  out.writes.push_back(PutSpec{task.sequence, spec.bytes});
  make_delayed(index, std::max(now + spec.delay, spec.not_before), now);
  return index;
}

// ---- waiting, asking ----------------------------------------------------------------------------

// False when the broker has its most watches. A task that has ended is told at once.
bool BrokerCore::add_watch(ClientIndex client, TaskIndex index, Effects& out) {
  if (is_terminal(tasks_[index].state)) {
    add_finished(client, index, out, nullptr);
    return true;
  }
  if (clients_.watches() >= settings_.watches_max) return false;
  clients_.watch(tasks_, index, client);
  return true;
}

void BrokerCore::on(ClientIndex client, Watch& message, Time, Effects& out) {
  const PeerId peer = clients_[client].peer;
  Watching answer;
  answer.request = message.request;
  for (const TaskId& id : message.tasks) {
    const TaskIndex index = find_for_client(id);
    if (index.is_none()) {
      answer.unknown.push_back(id);
    } else if (!add_watch(client, index, out)) {
      out.sends.push_back(ToClient{peer, Refused{message.request, ErrorCode::busy,
                                                 "the broker has its most watches; ask again later",
                                                 settings_.retry_after}});
      return;
    }
  }
  out.sends.push_back(ToClient{peer, std::move(answer)});
}

TaskView BrokerCore::view_of(TaskIndex index) const {
  const Task& task = tasks_[index];
  const TaskTerms& terms = tasks_.terms_of(task);
  TaskView view;
  view.id = task.id;
  view.sequence = task.sequence;
  view.queue = queues_[terms.queue].name;
  view.state = task.state;
  view.reason = task.reason;
  view.cancel_requested = task.cancel_requested;
  view.priority = terms.priority;
  view.attempts = task.attempts;
  view.max_attempts = terms.max_attempts;
  view.fence = task.fence();
  view.timeout = terms.timeout;
  view.accepted = task.accepted;
  if (task.state == TaskState::delayed) view.due = task.moment;
  if (task.state != TaskState::in_progress) view.expires = expiry_of(task);
  if (is_terminal(task.state)) view.ended = task.moment;
  view.worker = name_of_holder(task);
  view.progress_percent = task.progress_percent;
  view.payload_bytes = ByteCount(task.payload_bytes);
  view.result_bytes = task.result_bytes();
  return view;
}

namespace {

TaskListToClient::Stored stored_parts(const Task& task) {
  return {task.attempt_records, task.spec_stored, task.result_bytes().value > 0};
}

}  // namespace

void BrokerCore::on(ClientIndex client, GetTasks& message, Time, Effects& out) {
  TaskListToClient answer;
  answer.peer = clients_[client].peer;
  answer.list.request = message.request;
  answer.with_payload = message.with_payload;
  answer.with_result = message.with_result;
  answer.with_attempts = message.with_attempts;
  for (const TaskId& id : message.tasks) {
    const TaskIndex index = find_for_client(id);
    if (index.is_none()) {
      answer.list.unknown.push_back(id);
      continue;
    }
    answer.list.tasks.push_back(view_of(index));
    answer.stored.push_back(stored_parts(tasks_[index]));
  }
  out.sends.push_back(std::move(answer));
}

// The cursor is a task index: each page looks at a bounded number of them, so it may be short.
void BrokerCore::on(ClientIndex client, ListTasks& message, Time, Effects& out) {
  TaskListToClient answer;
  answer.peer = clients_[client].peer;
  answer.list.request = message.request;
  answer.with_attempts = message.with_attempts;
  const QueueNumber queue = queues_.find(message.filter.queue);
  const bool nothing = !message.filter.queue.empty() && queue.is_none();
  const std::uint32_t limit = std::min(message.limit, settings_.request_work_max);
  std::uint64_t at = std::max<std::uint64_t>(message.cursor, 1);
  const std::uint64_t end = nothing ? 0 : tasks_.end_index();
  std::uint64_t looks = std::uint64_t{settings_.request_work_max} * 10;
  for (; at < end && looks > 0 && answer.list.tasks.size() < limit; ++at, --looks) {
    const TaskIndex index(static_cast<std::uint32_t>(at));
    const Task& task = tasks_[index];
    if (!task.exists) continue;
    const QueueNumber queue_of_task = tasks_.terms_of(task).queue;
    if (!queue.is_none() && queue_of_task != queue) continue;
    if (!is_in_scope(queue_of_task)) continue;
    if (message.filter.state != TaskState{0} && task.state != message.filter.state) continue;
    answer.list.tasks.push_back(view_of(index));
    answer.stored.push_back(stored_parts(task));
  }
  answer.list.next_cursor = at < end ? at : 0;
  out.sends.push_back(std::move(answer));
}

void BrokerCore::on(ClientIndex client, GetStatus& message, Time, Effects& out) {
  out.sends.push_back(StatusToClient{clients_[client].peer, message.request, message.topic});
}

void BrokerCore::on(ClientIndex client, Ping& message, Time, Effects& out) {
  out.sends.push_back(ToClient{clients_[client].peer, Pong{message.request, settings_.epoch}});
}

void BrokerCore::on(ClientIndex client, ClientGoodbye&, Time, Effects& out) {
  out.forgotten.push_back(clients_[client].peer);
  clients_.remove(tasks_, client);
}

// ---- changing -----------------------------------------------------------------------------------

void BrokerCore::on(ClientIndex client, Cancel& message, Time now, Effects& out) {
  Cancelled answer;
  answer.request = message.request;
  for (const TaskId& id : message.tasks) answer.items.push_back(cancel_one(id, now, out));
  out.sends.push_back(ToClient{clients_[client].peer, std::move(answer)});
}

// Waiting: ended at once. Running: the intent is durable, and whatever the worker reports now, the
// task ends as cancelled (promise P20).
CancelAnswer BrokerCore::cancel_one(const TaskId& id, Time now, Effects& out) {
  const TaskIndex index = find_for_client(id);
  if (index.is_none()) return {CancelStatus::not_found, TaskState::cancelled};
  return cancel_task(index, now, out);
}

CancelAnswer BrokerCore::cancel_task(TaskIndex index, Time now, Effects& out) {
  Task& task = tasks_[index];
  if (task.state == TaskState::cancelled) return {CancelStatus::cancelled, TaskState::cancelled};
  if (is_terminal(task.state)) return {CancelStatus::already_finished, task.state};
  if (task.state != TaskState::in_progress) {
    end_task(index, TaskState::cancelled, Reason::cancelled, now, out, nullptr);
    return {CancelStatus::cancelled, TaskState::cancelled};
  }
  if (!task.cancel_requested) {
    task.cancel_requested = true;
    touch(index);
  }
  if (!task.worker().is_none()) {
    out.sends.push_back(ToWorker{workers_[task.worker()].peer,
                                 StopTasks{{{task.id, task.fence(), StopCause::cancelled}}}});
  }
  return {CancelStatus::cancelling, TaskState::in_progress};
}

// The dead tasks that a request means, at most settings_.request_work_max.
std::vector<TaskIndex> BrokerCore::dead_tasks(const std::vector<TaskId>& ids,
                                              const std::string& queue) const {
  std::vector<TaskIndex> found;
  for (const TaskId& id : ids) {
    const TaskIndex index = find_for_client(id);
    if (!index.is_none() && tasks_[index].state == TaskState::dead) found.push_back(index);
  }
  if (!ids.empty()) {
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }
  for (const auto& [name, number] : queues_.by_name()) {
    if ((!queue.empty() && name != queue) || !is_in_scope(number)) continue;
    for (TaskIndex at = queues_[number].dead.head; !at.is_none(); at = tasks_[at].next) {
      if (found.size() >= settings_.request_work_max) return found;
      found.push_back(at);
    }
  }
  return found;
}

void BrokerCore::on(ClientIndex client, RequeueDead& message, Time now, Effects& out) {
  const std::vector<TaskIndex> found = dead_tasks(message.tasks, message.queue);
  for (const TaskIndex index : found) requeue(index, now, out);
  out.sends.push_back(ToClient{clients_[client].peer, Changed{message.request, found.size()}});
}

void BrokerCore::on(ClientIndex client, PurgeDead& message, Time, Effects& out) {
  const std::vector<TaskIndex> found = dead_tasks(message.tasks, message.queue);
  for (const TaskIndex index : found) prune(index, out);
  out.sends.push_back(ToClient{clients_[client].peer, Changed{message.request, found.size()}});
}

void BrokerCore::on(ClientIndex client, ControlQueue& message, Time now, Effects& out) {
  const PeerId peer = clients_[client].peer;
  QueueNumber number = queues_.find(message.queue);
  if (number.is_none() && message.action == QueueAction::pause) {
    number = find_or_add_queue(message.queue, out);  // pausing ahead of the first task is useful
  }
  if (number.is_none()) {
    out.sends.push_back(refusal_of_queue(peer, message.request, message.queue));
    return;
  }
  Queue& queue = queues_[number];
  Changed answer{message.request, 0};
  if (message.action == QueueAction::purge) {
    answer.count = purge_waiting(queue, now, out);
  } else {
    const bool pause = message.action == QueueAction::pause;
    answer.count = queue.paused == pause ? 0 : 1;
    if (queue.paused != pause) {
      queue.paused = pause;
      workers_.refile_queue(number);
      out.writes.push_back(PutQueue{number, queue.name, pause});
    }
  }
  out.sends.push_back(ToClient{peer, answer});
}

ToClient BrokerCore::refusal_of_queue(PeerId peer, RequestId request, const std::string& queue) {
  return {peer,
          Refused{request, ErrorCode::not_found, "there is no queue '" + queue + "'", Duration()}};
}

std::uint64_t BrokerCore::purge_waiting(Queue& queue, Time now, Effects& out) {
  std::vector<TaskIndex> waiting;
  const std::size_t most = settings_.request_work_max;
  queue.ready.for_each(tasks_, [&](TaskIndex index, std::size_t) {
    if (waiting.size() < most) waiting.push_back(index);
  });
  for (TaskIndex at = queue.delayed.head; !at.is_none() && waiting.size() < most;
       at = tasks_[at].next) {
    waiting.push_back(at);
  }
  for (const TaskIndex index : waiting) {
    end_task(index, TaskState::cancelled, Reason::cancelled, now, out, nullptr);
  }
  return waiting.size();
}

void BrokerCore::on(ClientIndex client, DrainWorker& message, Time, Effects& out) {
  Changed answer{message.request, 0};
  for (const auto& [id, index] : workers_.by_id()) {
    Worker& worker = workers_[index];
    if (worker.name != message.worker) continue;
    ++answer.count;
    worker.draining = true;
    workers_.refile(index);
    out.sends.push_back(ToWorker{worker.peer, Drain{}});
  }
  const PeerId peer = clients_[client].peer;
  if (answer.count == 0) {
    out.sends.push_back(ToClient{peer, Refused{message.request,
                                               ErrorCode::not_found,
                                               "no worker '" + message.worker + "' is connected",
                                               {}}});
    return;
  }
  out.sends.push_back(ToClient{peer, answer});
}

}  // namespace millrace::broker
