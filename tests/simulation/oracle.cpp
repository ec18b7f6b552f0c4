#include "tests/simulation/oracle.h"

#include <algorithm>
#include <set>

namespace millrace::simulation {

using namespace broker;  // NOLINT: the store's records in their own words

void Oracle::check_turn(const Effects& effects, Time now, const Totals& totals, bool accepting) {
  books_.write(effects, now, totals, accepting);
  dispatches_.check(effects, now);
  leases_.decide(effects);
}

void Oracle::check_core(const BrokerCore& core, Time now) {
  if (const std::optional<std::string> broken = Invariants::check(core)) {
    world_.fail("P5", "a broken invariant: " + *broken);
    return;
  }
  const CoreStatus status = core.status(now);
  for (const TaskState state : kAllTaskStates) {
    if (status.tasks_by_state[index_of(state)] == books_.in_state(state)) continue;
    world_.fail("P5", "the status counts " +
                          std::to_string(status.tasks_by_state[index_of(state)]) + " tasks as " +
                          std::string(name_of(state)) + ", the records " +
                          std::to_string(books_.in_state(state)));
    return;
  }
}

void Oracle::check_export(Store& store) {
  std::set<TaskId> exported;
  LoadVisitor visitor;
  visitor.totals = [&](const Totals& totals) {
    world_.count(Happening::task_retried, totals.retries);
    world_.count(Happening::lease_lost, totals.lease_losses);
    world_.count(Happening::attempt_timed_out, totals.timeouts);
    world_.count(Happening::dead_requeued, totals.requeued);
    world_.count(Happening::dead_purged, totals.pruned);
    books_.begin_load(totals);
  };
  visitor.task = [&](const TaskRecord& record) {
    if (!exported.insert(record.id).second) world_.fail("P8", "an id is stored twice");
    check_exported(record, store);
    books_.load(record);
  };
  const Status loaded = store.load(visitor);
  if (!loaded.ok()) world_.fail("P17", loaded.error().message);
  books_.end_load();
  for (const TaskFacts& facts : tasks_.all()) {
    const bool is_there = exported.contains(facts.id);
    if (facts.purge_asked) continue;
    if (facts.accepted_hash.has_value() && !is_there) fail("P1", facts, "was accepted and is lost");
    if (!facts.starts.empty() && !is_there) fail("P1", facts, "ran and is lost");
    if (facts.read.has_value() && !is_there) fail("P1", facts, "was read as ended and is lost");
  }
}

void Oracle::check_exported(const TaskRecord& record, Store& store) {
  const TaskFacts* facts = tasks_.find(record.id);
  if (facts == nullptr) {
    world_.fail("P15", "a task is stored that nobody submitted");
    return;
  }
  if (facts->purge_asked) return count_end(*facts, record);
  const bool known_content =
      std::any_of(facts->contents.begin(), facts->contents.end(),
                  [&](const TaskSpec& spec) { return spec.content_hash == record.content_hash; });
  if (!known_content) fail("P1", *facts, "is stored with a content that nobody sent");
  if (facts->accepted_hash.has_value() && *facts->accepted_hash != record.content_hash) {
    fail("P8", *facts, "is stored with another content than the accepted one");
  }
  if (!is_terminal(record.state)) {
    fail("P19", *facts, "has not ended: " + std::string(name_of(record.state)));
  }
  if (facts->cancel_confirmed && record.state != TaskState::cancelled) {
    fail("P20", *facts,
         "ended as " + std::string(name_of(record.state)) + " though its cancel was confirmed");
  }
  if (facts->read.has_value() && facts->read->state != record.state) {
    fail("P2", *facts,
         "was read as " + std::string(name_of(facts->read->state)) + " and is stored as " +
             std::string(name_of(record.state)));
  }
  check_success(*facts, record, store);
  check_end(*facts, record);
  count_end(*facts, record);
}

// Exactly the accepted completion is what is stored, with its result.
void Oracle::check_success(const TaskFacts& facts, const TaskRecord& record, Store& store) {
  const Start* winner = nullptr;
  for (const Start& start : facts.starts) {
    if (start.reported != Outcome::succeeded) continue;
    if (start.fence == record.fence) winner = &start;
    if (!start.accepted) continue;
    if (record.state != TaskState::succeeded || start.fence != record.fence) {
      fail("P21", facts, "succeeded by an acknowledged completion that is not stored");
    }
  }
  if (record.state != TaskState::succeeded) return;
  if (winner == nullptr) {
    fail("P3", facts, "is stored as succeeded, but no worker said so under the newest fence");
    return;
  }
  const Result<SharedBytes> stored = store.read_result(record.sequence);
  const SharedBytes result = stored.ok() ? *stored : SharedBytes();
  if (result != winner->result) fail("P21", facts, "is stored with another result than reported");
  if (facts.read.has_value() && facts.read->result.has_value() && *facts.read->result != result) {
    fail("P2", facts, "was read with another result than the stored one");
  }
}

// No other end without its cause.
void Oracle::check_end(const TaskFacts& facts, const TaskRecord& record) {
  switch (record.state) {
    case TaskState::dead:
      if (record.attempts != record.max_attempts && record.reason != Reason::failed_for_good) {
        fail("P2", facts, "is dead with attempts left");
      }
      return;
    case TaskState::cancelled:
      if (!facts.cancel_asked && !tasks_.is_purged(facts.spec().queue)) {
        fail("P2", facts, "was cancelled though nobody asked for it");
      }
      return;
    case TaskState::expired:
      if (!facts.starts.empty()) fail("P2", facts, "expired after it had started");
      if (facts.spec().ttl == Duration()) fail("P2", facts, "expired without a ttl");
      return;
    default:
      return;
  }
}

void Oracle::count_end(const TaskFacts& facts, const TaskRecord& record) {
  const auto tell = [&](Happening happening) {
    world_.note(happening, 0, facts.number, record.attempts);
  };
  switch (record.state) {
    case TaskState::succeeded:
      return tell(Happening::ended_succeeded);
    case TaskState::dead:
      return tell(Happening::ended_dead);
    case TaskState::cancelled:
      return tell(Happening::ended_cancelled);
    case TaskState::expired:
      return tell(Happening::ended_expired);
    default:
      return;
  }
}

}  // namespace millrace::simulation
