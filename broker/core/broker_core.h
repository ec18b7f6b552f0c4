// The pure heart of the broker: events and a time in, effects out. No I/O, no clock, no thread, no
// iteration over hash maps: the same events at the same times give the same effects.
//
// A turn of the shell is: step() for each event, then tick() once. The effects of a turn are
// complete after its tick. Not thread-safe.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/core/client_table.h"
#include "broker/core/core_settings.h"
#include "broker/core/core_status.h"
#include "broker/core/deadlines.h"
#include "broker/core/effect.h"
#include "broker/core/event.h"
#include "broker/core/task_table.h"
#include "broker/core/worker_pool.h"
#include "common/base/random.h"

namespace millrace::broker {

class BrokerCore {
 public:
  // `random` serves jitter and session nonces.
  BrokerCore(CoreSettings settings, Random random);

  // On a restart, before the first step: what the store holds, in this order. Leases are armed anew
  // in full: their workers have `adoption_grace` from `now` to come back.
  void restore_totals(const Totals& totals);
  void restore_queue(QueueNumber number, const std::string& name, bool paused);
  void restore_task(const TaskRecord& record, Time now);

  // Takes one event. `now` never falls from call to call.
  void step(Event event, Time now, Effects& out);

  // Does what time asks for, gives out work, and completes the effects of the turn. To be called at
  // least every settings.tick_interval_max: a longer gap than settings.stall_min counts as a stall
  // of the broker itself, and no lease runs out because of it.
  void tick(Time now, Effects& out);

  // When the next tick is due at the latest, if no event comes before.
  Time next_deadline() const;

  // The books and the gauges; costs O(queues + workers).
  CoreStatus status(Time now) const;
  const Totals& totals() const { return totals_; }
  const CoreSettings& settings() const { return settings_; }
  // Leases held by workers or waiting for adoption.
  std::uint64_t in_progress() const { return by_state_[index_of(TaskState::in_progress)]; }

 private:
  friend class Invariants;
  friend class CoreInspector;

  // on_client.cpp
  void on_client(FromClient& event, Time now, Effects& out);
  TaskIndex find_for_client(const TaskId& id) const;
  bool is_in_scope(QueueNumber queue) const;
  ClientIndex client_of(PeerId peer, Time now, Effects& out);
  void on(ClientIndex client, ClientHello& message, Time now, Effects& out);
  void on(ClientIndex client, Submit& message, Time now, Effects& out);
  void on(ClientIndex client, Watch& message, Time now, Effects& out);
  void on(ClientIndex client, Cancel& message, Time now, Effects& out);
  void on(ClientIndex client, GetTasks& message, Time now, Effects& out);
  void on(ClientIndex client, ListTasks& message, Time now, Effects& out);
  void on(ClientIndex client, RequeueDead& message, Time now, Effects& out);
  void on(ClientIndex client, PurgeDead& message, Time now, Effects& out);
  void on(ClientIndex client, ControlQueue& message, Time now, Effects& out);
  void on(ClientIndex client, DrainWorker& message, Time now, Effects& out);
  void on(ClientIndex client, GetStatus& message, Time now, Effects& out);
  void on(ClientIndex client, Ping& message, Time now, Effects& out);
  void on(ClientIndex client, ClientGoodbye& message, Time now, Effects& out);
  SubmitAnswer submit_one(ClientIndex client, SubmitItem& item, bool watch, Time now, Effects& out);
  SubmitAnswer resubmit(ClientIndex client, TaskIndex index, const TaskSpec& spec, bool watch,
                        Effects& out);
  std::optional<SubmitAnswer> refuse_submit() const;
  TaskIndex accept(const TaskSpec& spec, QueueNumber queue, Time now, Effects& out);
  CancelAnswer cancel_one(const TaskId& id, Time now, Effects& out);
  CancelAnswer cancel_task(TaskIndex index, Time now, Effects& out);
  bool add_watch(ClientIndex client, TaskIndex index, Effects& out);
  TaskView view_of(TaskIndex index) const;
  std::vector<TaskIndex> dead_tasks(const std::vector<TaskId>& ids, const std::string& queue) const;
  std::uint64_t purge_waiting(Queue& queue, Time now, Effects& out);
  static ToClient refusal_of_queue(PeerId peer, RequestId request, const std::string& queue);

  // change_tasks.cpp
  void on(ClientIndex client, ChangeTasks& message, Time now, Effects& out);
  bool is_meant(const Task& task, const TaskFilter& filter, QueueNumber queue) const;
  bool change_one(TaskAction action, TaskIndex index, Time now, Effects& out);

  // explain.cpp
  void on(ClientIndex client, Explain& message, Time now, Effects& out);
  static ToClient refusal_of_task(PeerId peer, const Explain& message);
  void explain_all(Time now, Effects& out);
  Explained explain(TaskIndex index, Time now) const;
  TaskStanding standing_in(const Queue& queue) const;
  void place_in_line(TaskIndex index, const Queue& queue, Time now, Explained& e) const;
  TaskStanding standing_on_worker(TaskIndex index) const;

  // on_worker.cpp
  void on_worker(FromWorker& event, Time now, Effects& out);
  void on_hello(PeerId peer, KeyNumber key, WorkerHello& message, Time now, Effects& out);
  std::optional<std::vector<QueueNumber>> queues_named(const std::vector<std::string>& names,
                                                       Effects& out);
  std::vector<HeldLease> reconcile(WorkerIndex index, const std::vector<HeldLease>& holding,
                                   Time now, Effects& out);
  bool keep_lease(WorkerIndex index, const HeldLease& held, Time now);
  void stop_cancelled(WorkerIndex index, Effects& out);
  void on_complete(WorkerIndex index, Complete& message, Time now, Effects& out);
  bool complete_one(WorkerIndex index, Completion& completion, Time now, Effects& out);
  bool is_repeat(const Task& task, const Completion& completion) const;
  void on_extend(WorkerIndex index, const Extend& message, Time now, Effects& out);
  void on_beat(const BeatHeard& event, Time now, Effects& out);
  void on_revoked(PeerId peer, Time now, Effects& out);
  void on_undeliverable(DispatchUndeliverable& event, Time now, Effects& out);
  void on_unreadable(SpecUnreadable& event, Time now, Effects& out);
  void park(WorkerIndex index, Time now);
  void hear(WorkerIndex index, Time now);
  void end_leases(WorkerIndex index, std::string_view error, Time now, Effects& out);
  void lose_worker(WorkerIndex index, std::string_view error, Time now, Effects& out);
  void drop_worker(WorkerIndex index, Effects& out);

  // on_time.cpp
  void notice_stall(Time now);
  void run_due_tasks(Time now, Effects& out);
  void run_lease_deadlines(Time now, Effects& out);
  void run_silences(Time now, Effects& out);
  void order_retained();
  void prune_retained(Effects& out);
  void prune(TaskIndex index, Effects& out);
  void unpark(Time now);

  // scheduler.cpp
  void assign(Time now, Effects& out);
  void assign_pass(bool prefetch, Time now, Effects& out);
  bool serve_group(GroupIndex index, bool prefetch, Time now, Effects& out);
  void lease(TaskIndex index, WorkerIndex worker, Time now, Effects& out);
  void recall_for_idle(Effects& out);
  void recall_from(GroupIndex from, const Group& idle_group, Effects& out);

  // life_cycle.cpp: the only functions that change a task's state.
  void enter(TaskIndex index, TaskState state, Time now);
  void leave(TaskIndex index);
  void make_pending(TaskIndex index, Time now);
  void make_delayed(TaskIndex index, Time due, Time now);
  void make_in_progress(TaskIndex index, WorkerIndex worker, Time now);
  void end_task(TaskIndex index, TaskState state, Reason reason, Time now, Effects& out,
                const Completion* completion);
  void fail_attempt(TaskIndex index, Reason reason, std::string error, Time now, Effects& out);
  // Whether the worker may have begun to run the task.
  enum class Start : bool { never, possible };
  void release(TaskIndex index, Start start, Time now, Effects& out);
  void requeue(TaskIndex index, Time now, Effects& out);
  void detach_from_worker(TaskIndex index);
  LastLeaseIndex note_last_lease(const Task& task);
  void add_finished(ClientIndex client, TaskIndex index, Effects& out,
                    const Completion* completion);
  void arm_lease(TaskIndex index, Duration length, Time now);
  void touch(TaskIndex index);
  Time expiry_of(const Task& task) const;
  TaskRecord record_of(const Task& task) const;

  void flush(Effects& out);
  void check_books();
  Time lease_clock(Time now) const { return now - stalled_; }
  std::string name_of_holder(const Task& task) const;
  QueueNumber find_or_add_queue(const std::string& name, Effects& out);

  CoreSettings settings_;
  Random random_;
  TaskTable tasks_;
  QueueTable queues_;
  WorkerPool workers_;
  ClientTable clients_;
  DeadlineHeap due_;     // delayed, pending with a ttl, retained: on the clock
  DeadlineHeap leases_;  // in progress: on the lease clock
  TaskChain retained_;   // succeeded, cancelled, expired: the earliest ended first
  TaskChain orphans_;    // in progress before the restart, not adopted yet
  std::uint64_t retained_bytes_ = 0;
  std::array<std::uint64_t, kTaskStates> by_state_{};
  Totals totals_;
  Totals written_totals_;
  CoreCounters counters_;
  LatencySummary queue_wait_;
  LatencySummary run_time_;
  // Workers given up for silent, so that a beat of theirs is answered; bounded, the oldest out.
  std::map<WorkerId, PeerId> lost_;
  std::deque<WorkerId> lost_order_;  // the earliest lost first
  std::set<std::pair<Time, WorkerIndex>> parked_;

  bool store_accepting_ = true;
  bool stopping_ = false;
  Time last_tick_;
  Duration stalled_;  // the lease clock runs this much behind
  std::uint64_t dispatches_ = 0;
  std::uint64_t recalls_ = 0;
  bool more_work_ = false;  // a bounded piece of work was left for the next tick

  // This turn's.
  std::vector<TaskIndex> dirty_;
  std::vector<WorkerIndex> dispatched_to_;
  std::vector<ClientIndex> told_;
  struct LastLease {
    Time granted;
    SharedBytes worker;
  };
  std::vector<std::pair<PeerId, Explain>> asked_to_explain_;
  std::vector<LastLease> last_leases_;  // of tasks that ended; see Task::last_lease

  // Of the client whose message is at hand; see FromClient.
  const QueueScope* scope_ = nullptr;
};

// The first broken invariant in words, or nothing: re-derives every index, count and list of the
// core from the tasks. O(everything): for tests and simulations, after each tick.
class Invariants {
 public:
  static std::optional<std::string> check(const BrokerCore& core);
};

}  // namespace millrace::broker
