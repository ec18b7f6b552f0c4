// Every index of the core, derived again from the tasks alone.
#include <algorithm>
#include <map>
#include <set>

#include "broker/core/broker_core.h"

namespace millrace::broker {
namespace {

using Found = std::optional<std::string>;

// Walks a chain both ways of its links; calls `visit(index)`.
template <class Visit>
Found walk(const TaskTable& tasks, const TaskChain& chain, const std::string& name, Visit visit) {
  std::uint64_t count = 0;
  TaskIndex previous;
  for (TaskIndex at = chain.head; !at.is_none(); at = tasks[at].next) {
    if (!tasks[at].exists) return name + " holds a freed task";
    if (tasks[at].previous != previous) return name + " has a broken back link";
    previous = at;
    if (++count > chain.count) return name + " is longer than its count";
    if (Found broken = visit(at)) return broken;
  }
  if (count != chain.count) return name + " is shorter than its count";
  if (chain.tail != previous) return name + " has a wrong tail";
  return std::nullopt;
}

}  // namespace

// The checks, one duty each; friend of the core through Invariants.
class CoreInspector {
 public:
  explicit CoreInspector(const BrokerCore& core) : core_(core) {}

  Found check() {
    if (Found broken = check_tasks()) return broken;
    if (Found broken = check_queues()) return broken;
    if (Found broken = check_workers()) return broken;
    if (Found broken = check_groups()) return broken;
    if (Found broken = check_clients()) return broken;
    return check_totals();
  }

 private:
  Found check_tasks() {
    std::uint64_t found = 0;
    for (std::uint32_t i = 1; i < core_.tasks_.end_index(); ++i) {
      const TaskIndex index(i);
      const Task& task = core_.tasks_[index];
      if (!task.exists) continue;
      ++found;
      sequences_.push_back(task.sequence.value);
      ++by_state_[index_of(task.state)];
      ++by_queue_[core_.tasks_.terms_of(task).queue][index_of(task.state)];
      if (const char* broken = check_task(index)) return "task " + to_text(task.id) + broken;
    }
    std::sort(sequences_.begin(), sequences_.end());
    if (std::adjacent_find(sequences_.begin(), sequences_.end()) != sequences_.end()) {
      return "two tasks share a sequence";
    }
    if (found != core_.tasks_.size()) return "the task table miscounts";
    if (by_state_ != core_.by_state_) return "the counts by state are wrong";
    if (!core_.due_.is_ordered() || !core_.leases_.is_ordered())
      return "a deadline heap is out of order";
    if (timers_ != core_.due_.size() + core_.leases_.size())
      return "a deadline heap holds a stranger";
    return std::nullopt;
  }

  // What is wrong with one task, without its name: names are made for failures only.
  const char* check_task(TaskIndex index) {
    const Task& task = core_.tasks_[index];
    if (core_.tasks_.find(task.id) != index) return " is not found by its id";
    if (task.sequence.value > core_.totals_.last_sequence) return " has a future sequence";
    if (task.dirty) return " was not written in its turn";
    if (task.attempts > core_.tasks_.terms_of(task).max_attempts) return " has too many attempts";
    if (!task.last_lease().is_none()) return " keeps the last lease of an old turn";
    if (task.last_fence < task.attempts) return " has a fence below its attempts";
    return check_timer(index);
  }

  const char* check_timer(TaskIndex index) {
    const Task& task = core_.tasks_[index];
    const bool in_due = core_.due_.contains(index);
    const bool in_leases = core_.leases_.contains(index);
    if (in_due && in_leases) return " is in two heaps";
    if (in_due || in_leases) ++timers_;
    switch (task.state) {
      case TaskState::delayed:
        if (!in_due || task.moment.is_none()) return " is delayed without a timer";
        break;
      case TaskState::pending:
        if (in_due == core_.expiry_of(task).is_none()) return " has a timer against its ttl";
        break;
      case TaskState::in_progress:
        if (!in_leases) return " runs without a deadline";
        break;
      case TaskState::dead:
        if (in_due || in_leases) return " is dead and timed";
        break;
      default:
        if (!in_due) return " is kept for ever";
        retained_bytes_ += kRetainedOverheadBytes + task.result_bytes().value;
    }
    return nullptr;
  }

  Found check_queues() {
    for (const auto& [name, filed] : core_.queues_.by_name()) {
      const QueueNumber number = filed;
      const Queue& queue = core_.queues_[number];
      const auto& counts = by_queue_[number];
      const auto in_state = [&](TaskState state) {
        return [this, state, number](TaskIndex at) -> Found {
          const Task& task = core_.tasks_[at];
          if (task.state == state && core_.tasks_.terms_of(task).queue == number) {
            return std::nullopt;
          }
          return "task " + to_text(task.id) + " is in a list of another state or queue";
        };
      };
      const std::string where = "queue " + name;
      if (queue.delayed.count != counts[index_of(TaskState::delayed)] ||
          queue.ready.size() != counts[index_of(TaskState::pending)] ||
          queue.in_progress != counts[index_of(TaskState::in_progress)] ||
          queue.dead.count != counts[index_of(TaskState::dead)]) {
        return where + " miscounts";
      }
      if (Found b = walk(core_.tasks_, queue.delayed, where, in_state(TaskState::delayed)))
        return b;
      if (Found b = walk(core_.tasks_, queue.dead, where, in_state(TaskState::dead))) return b;
      if (Found b = check_ready(queue)) return b;
    }
    return walk(core_.tasks_, core_.retained_, "the retained list", [this](TaskIndex at) -> Found {
      const TaskState state = core_.tasks_[at].state;
      if (is_terminal(state) && state != TaskState::dead) return std::nullopt;
      return "the retained list holds a live task";
    });
  }

  Found check_ready(const Queue& queue) {
    Found broken;
    std::uint64_t count = 0;
    std::array<std::uint64_t, kPriorities> last_fifo{};
    queue.ready.for_each(core_.tasks_, [&](TaskIndex at, std::size_t priority) {
      const Task& task = core_.tasks_[at];
      ++count;
      if (task.state != TaskState::pending || core_.tasks_.terms_of(task).priority != priority) {
        broken = "queue " + queue.name + " has a task in the wrong lane";
      }
      if (task.in_returned) return;
      if (task.sequence.value <= last_fifo[priority]) {
        broken = "queue " + queue.name + " is out of order";
      }
      last_fifo[priority] = task.sequence.value;
    });
    if (count != queue.ready.size()) return "queue " + queue.name + " miscounts its lanes";
    return broken;
  }

  Found check_workers() {
    std::uint64_t held = 0;
    for (const auto& [id, index] : core_.workers_.by_id()) {
      const Worker& worker = core_.workers_[index];
      const std::string name = "worker " + worker.name;
      if (!worker.exists || worker.id != id) return name + " is filed wrongly";
      if (core_.workers_.find_peer(worker.peer) != index) return name + " is not found by its peer";
      if (Found b =
              walk(core_.tasks_, worker.leases, name, [&, index = index](TaskIndex at) -> Found {
                if (core_.tasks_[at].worker() == index) return std::nullopt;
                return name + " lists a lease of another";
              })) {
        return b;
      }
      held += worker.leases.count;
      if (worker.dispatch_slot != 0) return name + " keeps a dispatch of an old turn";
      if (!core_.workers_.by_silence().contains({worker.silence_deadline, index})) {
        return name + " has no silence deadline";
      }
      if (worker.parked != core_.parked_.contains({worker.parked_until, index})) {
        return name + " is parked wrongly";
      }
      if (Found b = check_filing(worker, name)) return b;
    }
    if (Found b = walk(core_.tasks_, core_.orphans_, "the orphans", [this](TaskIndex at) -> Found {
          if (core_.tasks_[at].worker().is_none()) return std::nullopt;
          return "the orphans list a held lease";
        })) {
      return b;
    }
    if (held + core_.orphans_.count != by_state_[index_of(TaskState::in_progress)]) {
      return "a running task has no holder";
    }
    return std::nullopt;
  }

  Found check_filing(const Worker& worker, const std::string& name) {
    const Group& group = core_.workers_.group(worker.group);
    const std::uint64_t load = std::uint64_t{worker.held()} * 1'000 / worker.slots;
    const bool listed = group.available.contains({load, worker.last_dispatch, worker.index});
    if (listed != worker.takes_work()) return name + " is not filed by its freedom";
    if (group.surplus.contains({worker.surplus(), worker.index}) != (worker.surplus() > 0)) {
      return name + " is not filed by its surplus";
    }
    ++members_[worker.group];
    if (worker.takes_work()) ++available_[worker.group];
    if (worker.surplus() > 0) ++surplus_[worker.group];
    return std::nullopt;
  }

  Found check_groups() {
    for (std::uint32_t g = 1; g < core_.workers_.end_group(); ++g) {
      const GroupIndex index(g);
      const Group& group = core_.workers_.group(index);
      const std::string name = "group " + std::to_string(g);
      if (group.members != members_[index]) return name + " miscounts its members";
      if (group.available.size() != available_[index]) return name + " lists a worker that is gone";
      if (group.surplus.size() != surplus_[index]) return name + " lists a surplus that is gone";
      std::set<QueueNumber> active;
      for (const QueueNumber queue : group.queues) {
        if (core_.queues_[queue].is_active()) active.insert(queue);
      }
      if (active != group.active) return name + " has the wrong active queues";
      if (core_.workers_.matchable().contains(index) != group.is_matchable()) {
        return name + " is matchable wrongly";
      }
      if (core_.workers_.with_surplus().contains(index) != !group.surplus.empty()) {
        return name + " is filed wrongly by its surplus";
      }
      const bool idle = core_.workers_.idle_room(group, 1) > 0;
      if (core_.workers_.with_idle_slot().contains(index) != idle) {
        return name + " is filed wrongly by its idle slots";
      }
      // Late binding: nobody idles while there is work for it.
      if (group.is_matchable() && !core_.stopping_) return name + " idles beside work";
    }
    return std::nullopt;
  }

  Found check_clients() {
    std::uint64_t watches = 0;
    for (std::uint32_t i = 1; i < core_.tasks_.end_index(); ++i) {
      const Task& task = core_.tasks_[TaskIndex(i)];
      if (!task.exists) continue;
      for (WatchIndex at = task.first_watch(); !at.is_none();) {
        const WatchNode& node = core_.clients_.node(at);
        if (node.task != TaskIndex(i)) return "a watch stands in the chain of another task";
        if (!core_.clients_[node.client].exists) return "a watch belongs to a client that is gone";
        ++watches;
        at = node.next_of_task;
      }
    }
    if (watches != core_.clients_.watches()) return "the watches are miscounted";
    return std::nullopt;
  }

  Found check_totals() {
    const Totals& totals = core_.totals_;
    std::uint64_t known = totals.pruned;
    for (const std::uint64_t count : by_state_) known += count;
    if (known != totals.accepted) return "the books do not balance";
    if (retained_bytes_ != core_.retained_bytes_) return "the retained bytes are miscounted";
    if (core_.counters_.invariant_violations != 0) return "a violation was counted";
    return std::nullopt;
  }

  const BrokerCore& core_;
  std::vector<std::uint64_t> sequences_;
  std::array<std::uint64_t, kTaskStates> by_state_{};
  std::map<QueueNumber, std::array<std::uint64_t, kTaskStates>> by_queue_;
  std::map<GroupIndex, std::uint64_t> members_;
  std::map<GroupIndex, std::uint64_t> available_;
  std::map<GroupIndex, std::uint64_t> surplus_;
  std::uint64_t timers_ = 0;
  std::uint64_t retained_bytes_ = 0;
};

std::optional<std::string> Invariants::check(const BrokerCore& core) {
  return CoreInspector(core).check();
}

}  // namespace millrace::broker
