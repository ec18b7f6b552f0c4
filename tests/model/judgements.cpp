// What the reference thinks of the core's choices and of its records.
#include <algorithm>

#include "tests/model/reference_broker.h"

namespace millrace::broker::test {
namespace {

std::string named(const TaskId& id) {
  return "task " + std::to_string(id.bytes[0]);
}

// Before which the other waits, in one queue.
bool before(const ReferenceTask& a, const ReferenceTask& b) {
  if (a.spec.priority != b.spec.priority) return a.spec.priority > b.spec.priority;
  return a.sequence < b.sequence;
}

}  // namespace

bool ReferenceBroker::takes(const ReferenceWorker& worker, const std::string& queue,
                            std::size_t holding) const {
  return !worker.draining && !worker.parked_until.has_value() && worker.queues.contains(queue) &&
         !paused_.contains(queue) && holding < worker.credit;
}

std::optional<std::string> ReferenceBroker::judge_item(const WorkerId& worker,
                                                       const DispatchedTask& item) {
  ReferenceTask* task = find(item.task);
  if (task == nullptr) return "an unknown task was given out";
  if (task->state != TaskState::pending) return named(item.task) + " was given out unready";
  if (item.queue != task->spec.queue) return named(item.task) + " was given out of another queue";
  if (!takes(workers_[worker], item.queue, held_by(worker).size())) {
    return named(item.task) + " was given to a worker that does not take it";
  }
  task->state = TaskState::in_progress;
  task->holder = worker;
  task->lease_order = ++leases_;
  task->ended_as.reset();
  ++task->attempts;
  ++task->fence;
  arm(*task, task->spec.timeout);
  if (item.fence.value != task->fence) return named(item.task) + " got the wrong fence";
  if (item.attempt != task->attempts) return named(item.task) + " got the wrong attempt";
  if (item.attempt > task->spec.max_attempts) return named(item.task) + " runs too often";
  return std::nullopt;
}

std::optional<std::string> ReferenceBroker::dispatch(
    const std::vector<DispatchToWorker>& dispatches) {
  std::set<TaskId> given;
  for (const DispatchToWorker& dispatch : dispatches) {
    const std::optional<WorkerId> worker = id_of(dispatch.peer);
    if (!worker.has_value()) return "a dispatch to nobody";
    std::map<std::string, const ReferenceTask*> last;
    for (const DispatchToWorker::Item& item : dispatch.items) {
      if (auto wrong = judge_item(*worker, item.task)) return wrong;
      const ReferenceTask& task = tasks_[item.task.task];
      const ReferenceTask*& earlier = last[task.spec.queue];
      if (earlier != nullptr && before(task, *earlier)) return "a dispatch is out of order";
      earlier = &task;
      given.insert(item.task.task);
    }
  }
  if (auto wrong = judge_choice(given)) return wrong;
  return judge_idleness(dispatches);
}

// Nothing that waits comes before what was given out of its queue.
std::optional<std::string> ReferenceBroker::judge_choice(const std::set<TaskId>& given) const {
  for (const TaskId& id : given) {
    const ReferenceTask& chosen = tasks_.at(id);
    for (const auto& [other_id, other] : tasks_) {
      if (other.state != TaskState::pending || other.spec.queue != chosen.spec.queue) continue;
      if (before(other, chosen)) return named(id) + " was given out before " + named(other_id);
    }
  }
  return std::nullopt;
}

// Nobody with room waits beside work, and nothing was given ahead of a slot while another idled.
std::optional<std::string> ReferenceBroker::judge_idleness(
    const std::vector<DispatchToWorker>& dispatches) const {
  for (const auto& [worker_id, worker] : workers_) {
    const std::size_t holding = held_by(worker_id).size();
    for (const auto& [id, task] : tasks_) {
      if (task.state == TaskState::pending && takes(worker, task.spec.queue, holding)) {
        return named(id) + " waits beside a worker with room";
      }
    }
    if (holding >= worker.slots) continue;
    for (const DispatchToWorker& dispatch : dispatches) {
      const WorkerId other = *id_of(dispatch.peer);
      const std::size_t held = held_by(other).size();
      const std::size_t slots = workers_.at(other).slots;
      const std::size_t ahead = std::min(held > slots ? held - slots : 0, dispatch.items.size());
      for (std::size_t i = dispatch.items.size() - ahead; i < dispatch.items.size(); ++i) {
        if (takes(worker, dispatch.items[i].task.queue, holding)) {
          return named(dispatch.items[i].task.task) + " was given ahead beside an idle slot";
        }
      }
    }
  }
  return std::nullopt;
}

std::optional<std::string> ReferenceBroker::judge_record(ReferenceTask& task,
                                                         const TaskRecord& record) const {
  if (record.state != task.state) {
    return "is " + std::string(name_of(record.state)) + " and not " +
           std::string(name_of(task.state));
  }
  if (record.reason != task.reason) return "has reason " + std::string(name_of(record.reason));
  if (record.sequence.value != task.sequence) return "has another sequence";
  if (record.attempts != task.attempts)
    return "has " + std::to_string(record.attempts) + " attempts";
  if (record.fence.value != task.fence) return "has fence " + std::to_string(record.fence.value);
  if (record.cancel_requested != task.cancel_requested) return "is marked wrongly";
  if (record.expires != task.expires) return "expires at another time";
  if (record.ended != task.ended) return "ended at another time";
  if (record.due < task.due_from || record.due > task.due_until) return "is due at another time";
  task.due_from = task.due_until = record.due;
  return std::nullopt;
}

std::optional<std::string> ReferenceBroker::compare(const RecordedStore& store) {
  if (store.tasks().size() != tasks_.size()) {
    return "the store has " + std::to_string(store.tasks().size()) + " tasks and not " +
           std::to_string(tasks_.size());
  }
  for (auto& [id, task] : tasks_) {
    const TaskRecord* record = store.find(id);
    if (record == nullptr) return named(id) + " is not stored";
    if (auto wrong = judge_record(task, *record)) return named(id) + " " + *wrong;
  }
  return std::nullopt;
}

}  // namespace millrace::broker::test
