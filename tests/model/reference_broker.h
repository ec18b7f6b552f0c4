// What the broker promises of tasks, workers and time, in the plainest form: maps, and loops over
// all of them. It decides nothing about who gets a task; it judges the core's choices.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/core/core_settings.h"
#include "tests/scenario/recorded_store.h"

namespace millrace::broker::test {

struct ReferenceTask {
  TaskSpec spec;
  std::uint64_t sequence = 0;
  TaskState state = TaskState::pending;
  Reason reason = Reason::none;
  std::uint16_t attempts = 0;
  std::uint64_t fence = 0;
  bool cancel_requested = false;
  // Delayed: due within this window; it is a point once the broker has drawn its jitter.
  Time due_from;
  Time due_until;
  Time expires;
  Time ended;
  std::optional<WorkerId> holder;  // in progress; none: nobody since a restart
  std::uint64_t lease_order = 0;
  Time lease_deadline;  // on the lease clock
  // How the attempt under the newest fence ended, where a report or the broker's timeout ended it.
  std::optional<Outcome> ended_as;
};

struct ReferenceWorker {
  PeerId peer;
  std::uint64_t hello_number = 0;
  std::set<std::string> queues;
  std::uint32_t slots = 1;
  std::uint32_t credit = 1;
  bool draining = false;
  std::optional<Time> parked_until;
  Time last_heard;  // on the lease clock
};

// A client is told of an end.
using FinishedWords = std::multiset<std::tuple<PeerId, TaskId, TaskState, std::uint16_t>>;

class ReferenceBroker {
 public:
  explicit ReferenceBroker(CoreSettings settings) : settings_(std::move(settings)) {}

  // Comes before all else in a turn.
  void begin(Time now);

  // Clients.
  SubmitStatus submit(PeerId client, const TaskSpec& spec, bool watch);
  bool watch(PeerId client, const TaskId& id);  // false: unknown
  CancelAnswer cancel(const TaskId& id);
  std::uint64_t requeue_dead(const TaskId& id);
  std::uint64_t purge_dead(const TaskId& id);
  void pause(const std::string& queue, bool paused);
  bool is_paused(const std::string& queue) const { return paused_.contains(queue); }
  std::uint64_t purge(const std::string& queue);
  void store_accepting(bool accepting) { accepting_ = accepting; }

  // Workers. Nothing where the message is ignored; the error where it is refused.
  enum class Hello { ignored, refused, welcome };
  Hello hello(PeerId peer, const WorkerHello& hello, std::vector<HeldLease>& stale);
  bool knows(PeerId peer) const { return id_of(peer).has_value(); }
  bool complete(PeerId peer, const Completion& completion);  // accepted
  void hear(PeerId peer);
  void set_credit(PeerId peer, std::uint32_t credit);
  bool extend(PeerId peer, const Extension& extension);  // false: stale
  void goodbye(PeerId peer);
  void beat(const WorkerId& worker);
  void undeliverable(PeerId peer, const HeldLease& lease);
  void unreachable(PeerId peer);
  void drain(const WorkerId& worker);

  // Time, then the dispatches of the core, then the end of the turn.
  void tick();
  void restart();
  // The tasks that the core erased this turn. What is wrong with that, or nothing.
  std::optional<std::string> forgotten(const std::set<std::uint64_t>& erased_sequences);
  // What is wrong with these dispatches, or nothing.
  std::optional<std::string> dispatch(const std::vector<DispatchToWorker>& dispatches);
  // What differs from the records, or nothing.
  std::optional<std::string> compare(const RecordedStore& store);
  FinishedWords take_finished() { return std::exchange(finished_, {}); }

  const std::map<TaskId, ReferenceTask>& tasks() const { return tasks_; }
  const std::map<WorkerId, ReferenceWorker>& workers() const { return workers_; }
  std::vector<TaskId> held_by(const WorkerId& worker) const;
  std::optional<WorkerId> id_of(PeerId peer) const;

 private:
  Time lease_now() const { return now_ - stalled_; }
  ReferenceTask* find(const TaskId& id);
  ReferenceTask* held(PeerId peer, const TaskId& id, Fence fence);
  void wait_until(ReferenceTask& task, Time from, Time until);
  void end(ReferenceTask& task, TaskState state, Reason reason);
  void fail(ReferenceTask& task, Reason reason);
  void release(ReferenceTask& task, bool may_have_started = false);
  void lose(const WorkerId& worker);
  void arm(ReferenceTask& task, Duration length);
  bool keeps(const WorkerId& worker, const HeldLease& lease);
  void forget(const TaskId& id);
  void run_due();
  bool run_due_once();
  void count_excess();
  bool takes(const ReferenceWorker& worker, const std::string& queue, std::size_t holding) const;
  std::optional<std::string> judge_item(const WorkerId& worker, const DispatchedTask& item);
  std::optional<std::string> judge_choice(const std::set<TaskId>& given) const;
  std::optional<std::string> judge_idleness(const std::vector<DispatchToWorker>& dispatches) const;
  std::optional<std::string> judge_record(ReferenceTask& task, const TaskRecord& record) const;

  CoreSettings settings_;
  std::map<TaskId, ReferenceTask> tasks_;
  std::map<WorkerId, ReferenceWorker> workers_;
  std::set<std::string> paused_;
  std::set<std::string> queues_;
  std::set<std::pair<TaskId, PeerId>> watches_;
  FinishedWords finished_;
  bool accepting_ = true;
  Time now_;
  std::optional<Time> last_turn_;
  Duration stalled_;
  std::uint64_t last_sequence_ = 0;
  std::uint64_t excess_ = 0;  // ended tasks beyond the most, to be forgotten this turn
  std::uint64_t leases_ = 0;
};

}  // namespace millrace::broker::test
