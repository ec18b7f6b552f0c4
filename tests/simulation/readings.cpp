#include "tests/simulation/readings.h"

#include <algorithm>
#include <utility>

namespace millrace::simulation {

TaskFacts& Readings::submits(const TaskSpec& spec) {
  TaskFacts& facts = tasks_.add(spec.id);
  const bool known =
      std::any_of(facts.contents.begin(), facts.contents.end(),
                  [&](const TaskSpec& other) { return other.content_hash == spec.content_hash; });
  if (!known) facts.contents.push_back(spec);
  return facts;
}

// From now on a dead task may live again: what was read dead is an end of an earlier life.
void Readings::requeues(const TaskId& id) {
  TaskFacts& facts = tasks_.add(id);
  facts.requeue_asked = true;
  if (facts.read.has_value() && facts.read->state == TaskState::dead) {
    facts.read_dead = std::exchange(facts.read, std::nullopt);
  }
}

void Readings::accepted(const TaskId& id, std::uint64_t content_hash) {
  TaskFacts& facts = tasks_.add(id);
  if (facts.purge_asked) return;
  if (facts.accepted_hash.has_value() && *facts.accepted_hash != content_hash) {
    world_.fail("P8", facts.name() + " is accepted with two contents");
  }
  facts.accepted_hash = content_hash;
}

void Readings::conflicts(const TaskId& id, std::uint64_t content_hash) {
  TaskFacts& facts = tasks_.add(id);
  if (facts.purge_asked) return;
  if (facts.accepted_hash == content_hash) {
    world_.fail("P8", facts.name() + " conflicts with the very content that was accepted");
  }
  if (facts.contents.size() < 2) {
    world_.fail("P8", facts.name() + " conflicts though it has one content only");
  }
}

void Readings::cancel_answered(const TaskId& id, const CancelAnswer& answer) {
  TaskFacts& facts = tasks_.add(id);
  if (facts.purge_asked) return;
  switch (answer.status) {
    case CancelStatus::cancelled:
      facts.cancel_confirmed = true;
      read_end(facts, TaskState::cancelled, std::nullopt);
      return;
    case CancelStatus::cancelling:
      facts.cancel_confirmed = true;
      return;
    case CancelStatus::already_finished:
      read_end(facts, answer.state, std::nullopt);
      return;
    case CancelStatus::not_found:
      unknown(id);
      return;
  }
}

void Readings::finished(const FinishedTask& task) {
  TaskFacts& facts = tasks_.add(task.id);
  if (!is_terminal(task.state)) {
    world_.fail("P2", facts.name() + " is told as ended and has not");
    return;
  }
  const bool has_result = task.state == TaskState::succeeded;
  read_end(facts, task.state, has_result ? std::optional(task.result) : std::nullopt);
}

void Readings::viewed(const TaskView& view, bool with_result) {
  if (!is_terminal(view.state)) return;
  const bool has_result = with_result && view.state == TaskState::succeeded;
  read_end(tasks_.add(view.id), view.state, has_result ? std::optional(view.result) : std::nullopt);
}

void Readings::unknown(const TaskId& id) {
  if (tasks_.add(id).purge_asked) return;
  world_.fail("P1", tasks_.add(id).name() + " was accepted and is unknown now");
}

void Readings::read_end(TaskFacts& facts, TaskState state, std::optional<SharedBytes> result) {
  if (facts.purge_asked) return;
  // Words of before a requeue may lie long in the inbox of a client that stands still; what the
  // task is in the end is looked at in the store.
  const bool earlier_life = facts.requeue_asked && state == TaskState::dead;
  if (facts.cancel_confirmed && state != TaskState::cancelled && !earlier_life) {
    world_.fail("P20", facts.name() + " ended as " + std::string(name_of(state)) +
                           " though its cancel was confirmed");
  }
  const Ending now{state, std::move(result)};
  std::optional<Ending>& first = earlier_life ? facts.read_dead : facts.read;
  if (!first.has_value()) {
    first = now;
    return;
  }
  compare(facts, *first, now);
  if (!first->result.has_value()) first->result = now.result;
}

void Readings::compare(const TaskFacts& facts, const Ending& first, const Ending& now) {
  if (first.state != now.state) {
    world_.fail("P2", facts.name() + " was read as " + std::string(name_of(first.state)) +
                          " and is read as " + std::string(name_of(now.state)));
  } else if (first.result.has_value() && now.result.has_value() && *first.result != *now.result) {
    world_.fail("P2", facts.name() + " is read with two results");
  }
}

}  // namespace millrace::simulation
