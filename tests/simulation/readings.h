// What clients are told, held against what they were told before: nothing acknowledged is lost
// (P1), an end never changes (P2), one task an id (P8), a confirmed cancel wins (P20).
#pragma once

#include <set>

#include "tests/simulation/task_facts.h"
#include "tests/simulation/world.h"

namespace millrace::simulation {

class Readings {
 public:
  Readings(World& world, TaskRegister& tasks) : world_(world), tasks_(tasks) {}

  // Invocations, noted before they are sent.
  TaskFacts& submits(const TaskSpec& spec);
  void cancels(const TaskId& id) { tasks_.add(id).cancel_asked = true; }
  void requeues(const TaskId& id);
  void purges_dead(const TaskId& id) { tasks_.add(id).purge_asked = true; }
  void purges_queue(const std::string& queue) { tasks_.purge_queue(queue); }

  // Answers. `content_hash`: of what this client had submitted.
  void accepted(const TaskId& id, std::uint64_t content_hash);
  void conflicts(const TaskId& id, std::uint64_t content_hash);
  void cancel_answered(const TaskId& id, const CancelAnswer& answer);
  void finished(const FinishedTask& task);
  void viewed(const TaskView& view, bool with_result);
  // The broker says that it has no such task; asked only about acknowledged ones.
  void unknown(const TaskId& id);

 private:
  void read_end(TaskFacts& facts, TaskState state, std::optional<SharedBytes> result);
  void compare(const TaskFacts& facts, const Ending& first, const Ending& now);

  World& world_;
  TaskRegister& tasks_;
};

}  // namespace millrace::simulation
