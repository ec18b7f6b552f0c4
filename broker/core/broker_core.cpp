#include "broker/core/broker_core.h"

#include <algorithm>
#include <utility>

namespace millrace::broker {

BrokerCore::BrokerCore(CoreSettings settings, Random random)
    : settings_(std::move(settings)),
      random_(random),
      tasks_(random.next()),  // of a copy: the sequence that jitter draws from is as it was
      workers_(queues_),
      due_(tasks_),
      leases_(tasks_) {}

void BrokerCore::restore_totals(const Totals& totals) {
  totals_ = totals;
  written_totals_ = totals;
}

void BrokerCore::restore_queue(QueueNumber number, const std::string& name, bool paused) {
  queues_.insert(number, name, paused);
}

void BrokerCore::restore_task(const TaskRecord& record, Time now) {
  MILLRACE_CHECK(queues_.contains(record.queue), "a stored task names a stored queue");
  TaskTerms terms;
  terms.queue = record.queue;
  terms.priority = record.priority;
  terms.max_attempts = record.max_attempts;
  terms.timeout = record.timeout;
  terms.retention = record.retention;
  if (!record.expires.is_none()) terms.ttl = record.expires - record.accepted;
  terms.backoff = record.backoff;
  const TaskIndex index = tasks_.insert(record.id, terms);
  Task& task = tasks_[index];
  const TaskState state = record.state;
  task.sequence = record.sequence;
  task.content_hash = record.content_hash;
  task.accepted = record.accepted;
  task.moment = state == TaskState::delayed ? record.due : record.ended;
  task.last_fence = static_cast<std::uint32_t>(record.fence.value);
  task.payload_bytes = static_cast<std::uint32_t>(record.payload_bytes.value);
  task.attempts = record.attempts;
  task.attempt_records = record.attempt_records;
  task.reason = record.reason;
  task.cancel_requested = record.cancel_requested;
  task.spec_stored = record.spec_stored;
  task.ttl_over = record.expires.is_none();
  if (is_terminal(state)) task.set_result_bytes(record.result_bytes.value);
  enter(index, state, now);
  switch (state) {
    case TaskState::delayed:
      due_.add(index, record.expires.is_none() ? record.due : std::min(record.due, record.expires));
      break;
    case TaskState::pending:
      if (!record.expires.is_none()) due_.add(index, record.expires);
      break;
    case TaskState::in_progress:
      if (!record.leased.is_none()) task.moment = std::min(record.leased, now);
      leases_.add(index, lease_clock(now) + settings_.adoption_grace);
      break;
    default:
      break;
  }
  // What was just read need not be written again.
  task.dirty = false;
  dirty_.pop_back();
}

void BrokerCore::step(Event event, Time now, Effects& out) {
  notice_stall(now);  // before anyone is heard: what is heard now counts on the moved clock
  struct Visitor {
    BrokerCore& core;
    Time now;
    Effects& out;
    void operator()(FromClient& e) const { core.on_client(e, now, out); }
    void operator()(FromWorker& e) const { core.on_worker(e, now, out); }
    void operator()(BeatHeard& e) const { core.on_beat(e, now, out); }
    void operator()(PeerRevoked& e) const { core.on_revoked(e.peer, now, out); }
    void operator()(DispatchUndeliverable& e) const { core.on_undeliverable(e, now, out); }
    void operator()(SpecUnreadable& e) const { core.on_unreadable(e, now, out); }
    void operator()(WorkerUnreachable& e) const {
      const WorkerIndex index = core.workers_.find_peer(e.peer);
      if (!index.is_none()) core.park(index, now);
    }
    void operator()(StoreLevelChanged& e) const { core.store_accepting_ = e.accepting; }
    void operator()(StopRequested&) const {
      if (core.stopping_) return;
      core.stopping_ = true;
      out.sends.push_back(GoodbyeToAll{"the broker is stopping; reconnect and go on"});
    }
  };
  std::visit(Visitor{*this, now, out}, event);
}

void BrokerCore::tick(Time now, Effects& out) {
  more_work_ = false;
  if (last_tick_.is_none()) order_retained();
  notice_stall(now);
  run_due_tasks(now, out);
  run_silences(now, out);
  run_lease_deadlines(now, out);
  prune_retained(out);
  unpark(now);
  workers_.refile_noted();
  if (!stopping_) {
    assign(now, out);
    recall_for_idle(out);
  }
  explain_all(now, out);
  flush(out);
  last_tick_ = now;
}

// One record a changed task, whatever happened to it in the turn; the books with them.
void BrokerCore::flush(Effects& out) {
  for (const TaskIndex index : dirty_) {
    Task& task = tasks_[index];
    if (!task.exists || !task.dirty) continue;
    task.dirty = false;
    out.writes.push_back(PutTask{record_of(task)});
    if (is_terminal(task.state)) task.set_last_lease(LastLeaseIndex());
  }
  dirty_.clear();
  last_leases_.clear();
  if (totals_ != written_totals_) {
    check_books();
    out.writes.push_back(PutTotals{totals_});
    written_totals_ = totals_;
  }
  for (const WorkerIndex index : dispatched_to_) workers_[index].dispatch_slot = 0;
  dispatched_to_.clear();
  for (const ClientIndex index : told_) clients_[index].finished_slot = 0;
  told_.clear();
  // A peer that came back in the same turn, or whose connection another took over, is in use.
  out.forgotten.erase(std::remove_if(out.forgotten.begin(), out.forgotten.end(),
                                     [this](PeerId peer) {
                                       return !clients_.find(peer).is_none() ||
                                              !workers_.find_peer(peer).is_none();
                                     }),
                      out.forgotten.end());
}

TaskRecord BrokerCore::record_of(const Task& task) const {
  const TaskTerms& terms = tasks_.terms_of(task);
  TaskRecord record;
  record.sequence = task.sequence;
  record.id = task.id;
  record.queue = terms.queue;
  record.state = task.state;
  record.reason = task.reason;
  record.priority = terms.priority;
  record.cancel_requested = task.cancel_requested;
  record.attempts = task.attempts;
  record.max_attempts = terms.max_attempts;
  record.attempt_records = task.attempt_records;
  record.fence = task.fence();
  record.content_hash = task.content_hash;
  record.accepted = task.accepted;
  if (task.state == TaskState::delayed) record.due = task.moment;
  record.expires = expiry_of(task);
  if (task.state == TaskState::in_progress) record.leased = task.moment;
  if (is_terminal(task.state)) record.ended = task.moment;
  if (!task.last_lease().is_none()) {
    const LastLease& last = last_leases_[task.last_lease().value - 1];
    record.leased = last.granted;
    record.last_worker = last.worker;
  }
  record.timeout = terms.timeout;
  record.retention = terms.retention;
  record.backoff = terms.backoff;
  record.spec_stored = task.spec_stored;
  record.payload_bytes = ByteCount(task.payload_bytes);
  record.result_bytes = task.result_bytes();
  return record;
}

// Promise P5: what was accepted is somewhere.
void BrokerCore::check_books() {
  std::uint64_t known = totals_.pruned;
  for (const TaskState state : kAllTaskStates) known += by_state_[index_of(state)];
  if (known != totals_.accepted) ++counters_.invariant_violations;
}

Time BrokerCore::next_deadline() const {
  if (more_work_) return last_tick_;
  Time next = last_tick_ + settings_.tick_interval_max;
  next = std::min(next, due_.first_time());
  if (!leases_.empty()) next = std::min(next, leases_.first_time() + stalled_);
  const auto& silences = workers_.by_silence();
  if (!silences.empty()) next = std::min(next, silences.begin()->first + stalled_);
  if (!parked_.empty()) next = std::min(next, parked_.begin()->first);
  return next;
}

QueueNumber BrokerCore::find_or_add_queue(const std::string& name, Effects& out) {
  QueueNumber number = queues_.find(name);
  if (!number.is_none()) return number;
  if (queues_.size() >= settings_.queues_max) return QueueNumber();
  number = queues_.add(name);
  out.writes.push_back(PutQueue{number, name, false});
  return number;
}

CoreStatus BrokerCore::status(Time now) const {
  CoreStatus status;
  status.totals = totals_;
  status.counters = counters_;
  status.tasks_by_state = by_state_;
  status.clients = clients_.size();
  status.watches = clients_.watches();
  status.retained_bytes = retained_bytes_;
  status.queue_wait = queue_wait_;
  status.run_time = run_time_;
  for (const auto& [name, number] : queues_.by_name()) {
    const Queue& queue = queues_[number];
    QueueStatus entry{name,
                      queue.paused,
                      queue.delayed.count,
                      queue.ready.size(),
                      queue.in_progress,
                      queue.dead.count,
                      Duration(),
                      0};
    const TaskIndex oldest = queue.ready.oldest(tasks_);
    if (!oldest.is_none())
      entry.oldest_pending_age = std::max(now - tasks_[oldest].moment, Duration());
    for (const GroupIndex group : queue.groups) entry.workers += workers_.group(group).members;
    status.queues.push_back(std::move(entry));
  }
  for (const auto& [id, index] : workers_.by_id()) {
    const Worker& worker = workers_[index];
    WorkerStatus entry;
    entry.name = worker.name;
    entry.id = id;
    entry.condition = worker.parked       ? WorkerCondition::unreachable
                      : worker.draining   ? WorkerCondition::draining
                      : worker.held() > 0 ? WorkerCondition::busy
                                          : WorkerCondition::idle;
    for (const QueueNumber number : workers_.group(worker.group).queues) {
      entry.queues.push_back(queues_[number].name);
    }
    entry.slots = worker.slots;
    entry.credit = worker.credit;
    entry.holding = worker.held();
    entry.tasks_completed = worker.tasks_completed;
    entry.tasks_failed = worker.tasks_failed;
    entry.busy_time = worker.busy_time;
    entry.connected_for = std::max(now - worker.connected, Duration());
    const double capacity = entry.connected_for.in_seconds() * worker.slots;
    if (capacity > 0) entry.utilisation = std::min(1.0, worker.busy_time.in_seconds() / capacity);
    entry.last_heard_age = std::max(lease_clock(now) - worker.last_heard, Duration());
    entry.version = worker.version;
    status.workers.push_back(std::move(entry));
  }
  std::stable_sort(status.workers.begin(), status.workers.end(),
                   [](const WorkerStatus& a, const WorkerStatus& b) { return a.name < b.name; });
  return status;
}

}  // namespace millrace::broker
