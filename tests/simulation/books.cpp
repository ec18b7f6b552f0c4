#include "tests/simulation/books.h"

#include <algorithm>
#include <string>

namespace millrace::simulation {

using namespace broker;  // NOLINT: the broker's writes in their own words

namespace {

bool is_delayed(const TaskSpec& spec) {
  return spec.delay > Duration() || !spec.not_before.is_none();
}

std::string change_text(TaskState before, TaskState after) {
  return std::string(name_of(before)) + " and becomes " + std::string(name_of(after));
}

}  // namespace

// ---- a restart ----------------------------------------------------------------------------------

void Books::begin_load(const Totals& totals) {
  for (const TaskId& id : ids_) {
    TaskFacts& facts = tasks_.add(id);
    facts.clock_seen = std::max(facts.clock_seen, last_clock_);
  }
  entries_.clear();
  ids_.clear();
  by_state_ = {};
  fresh_.clear();
  pending_.clear();
  paused_.clear();
  written_totals_ = totals;
}

void Books::load(const TaskRecord& record) {
  put(record, nullptr);
}

void Books::end_load() {
  check_totals(written_totals_, "after a restart");
}

// ---- a turn -------------------------------------------------------------------------------------

void Books::write(const Effects& effects, Time now, const Totals& totals, bool accepting) {
  now_ = last_clock_ = now;
  if (!accepting && totals.accepted > written_totals_.accepted) {
    world_.fail("P11", "a task is accepted though the store is full");
  }
  const Parts parts = parts_of(effects);
  for (const Write& write : effects.writes) {
    if (const auto* task = std::get_if<PutTask>(&write)) put(task->record, &parts);
    if (const auto* erased = std::get_if<EraseTask>(&write)) erase(erased->sequence);
    if (const auto* queue = std::get_if<PutQueue>(&write)) paused_[queue->queue] = queue->paused;
    if (const auto* put_totals = std::get_if<PutTotals>(&write)) {
      written_totals_ = put_totals->totals;
    }
  }
  if (written_totals_ != totals) {
    world_.fail("P5", "the books are not written with the tasks they count");
  }
  check_totals(totals, "after a turn");
}

Books::Parts Books::parts_of(const Effects& effects) {
  Parts parts;
  for (const Write& write : effects.writes) {
    if (const auto* spec = std::get_if<PutSpec>(&write)) parts.specs.insert(spec->sequence);
    if (const auto* result = std::get_if<PutResult>(&write)) parts.results.insert(result->sequence);
    if (const auto* attempt = std::get_if<PutAttempt>(&write)) {
      parts.failed[attempt->sequence] = attempt->record.reason;
    }
    if (const auto* anew = std::get_if<EraseAttempts>(&write)) {
      parts.fresh_histories.insert(anew->sequence);
    }
  }
  return parts;
}

void Books::put(const TaskRecord& record, const Parts* parts) {
  TaskFacts* facts = tasks_.find(record.id);
  if (facts == nullptr) return world_.fail("P15", "the store holds a task that nobody submitted");
  const std::uint64_t sequence = record.sequence.value;
  if (entries_.size() <= sequence) entries_.resize(sequence + 1);
  Entry& entry = entries_[sequence];
  if (!entry.exists) {
    if (!ids_.insert(record.id).second) world_.fail("P8", facts->name() + " is there twice");
    if (parts != nullptr) judge_new(*facts, record, *parts);
    entry.fresh = !is_delayed(facts->spec());
  } else {
    if (parts != nullptr) judge_change(*facts, entry.record, record, *parts);
    // A requeue is seen by what it erases: the death before it may lie in the same turn.
    if (parts != nullptr && parts->fresh_histories.contains(record.sequence)) ++facts->requeues;
    uncount(entry);
  }
  entry.fresh = entry.fresh && record.state == TaskState::pending && record.fence.is_none();
  entry.exists = true;
  entry.record = record;
  count(entry);
}

void Books::count(const Entry& entry) {
  const TaskRecord& record = entry.record;
  ++by_state_[index_of(record.state)];
  if (record.state != TaskState::pending) return;
  ++pending_[record.queue][record.priority];
  if (entry.fresh) fresh_[{record.queue, record.priority}].insert(record.sequence.value);
}

void Books::uncount(const Entry& entry) {
  const TaskRecord& record = entry.record;
  --by_state_[index_of(record.state)];
  if (record.state != TaskState::pending) return;
  --pending_[record.queue][record.priority];
  if (entry.fresh) fresh_[{record.queue, record.priority}].erase(record.sequence.value);
}

const Books::Entry& Books::entry(TaskSequence sequence) const {
  return sequence.value < entries_.size() ? entries_[sequence.value] : nothing_;
}

void Books::erase(TaskSequence sequence) {
  if (!entry(sequence).exists) return world_.fail("P1", "a task is forgotten that is not stored");
  Entry& entry = entries_[sequence.value];
  TaskFacts& facts = tasks_.add(entry.record.id);
  facts.clock_seen = std::max(facts.clock_seen, last_clock_);  // a crash may bring it back
  if (!facts.purge_asked || entry.record.state != TaskState::dead) {
    world_.fail("P1", facts.name() + " is forgotten though it is kept for years");
  }
  uncount(entry);
  ids_.erase(entry.record.id);
  entry = Entry();
}

// ---- what may be written ------------------------------------------------------------------------

void Books::judge_new(const TaskFacts& facts, const TaskRecord& record, const Parts& parts) {
  if (!parts.specs.contains(record.sequence) && record.spec_stored) {
    world_.fail("P1", facts.name() + " is written without its payload");
  }
  const TaskSpec& spec = facts.spec();
  if (record.priority != spec.priority) {
    world_.fail("P9", facts.name() + " is filed under another priority");
  }
  if (record.max_attempts != spec.max_attempts || record.timeout != spec.timeout) {
    world_.fail("contract", facts.name() + " is filed under other limits");
  }
  if (record.state == TaskState::delayed) {
    const Time due = std::max(now_ + spec.delay, spec.not_before);
    if (record.due != due) world_.fail("contract", facts.name() + " is delayed until another time");
  }
}

void Books::judge_change(const TaskFacts& facts, const TaskRecord& before, const TaskRecord& after,
                         const Parts& parts) {
  if (after.fence < before.fence) world_.fail("P3", facts.name() + ": its fence falls");
  if (after.attempts > after.max_attempts) {
    world_.fail("P4", facts.name() + " is at attempt " + std::to_string(after.attempts) + " of " +
                          std::to_string(after.max_attempts));
  }
  if (is_terminal(before.state) && before.state != after.state) {
    const bool requeued = before.state == TaskState::dead && facts.requeue_asked;
    if (!requeued) {
      world_.fail("P2", facts.name() + " has ended as " + change_text(before.state, after.state));
    }
  }
  if (before.cancel_requested && !after.cancel_requested) {
    world_.fail("P20", facts.name() + " has lost the mark of its cancel");
  }
  if (!is_terminal(before.state) && is_terminal(after.state)) judge_end(facts, before, after);
  const bool has_result = after.result_bytes > before.result_bytes;
  if (has_result && !parts.results.contains(after.sequence)) {
    world_.fail("P21", facts.name() + " succeeds without its result");
  }
  const auto failed = parts.failed.find(after.sequence);
  if (failed != parts.failed.end() && !parts.fresh_histories.contains(after.sequence)) {
    judge_retry(facts, after, failed->second);
  }
}

void Books::judge_end(const TaskFacts& facts, const TaskRecord& before, const TaskRecord& after) {
  if (before.cancel_requested && after.state != TaskState::cancelled) {
    world_.fail("P20", facts.name() + " was being cancelled and ends as " +
                           std::string(name_of(after.state)));
  }
  const bool too_early = now_ < after.accepted + facts.spec().ttl;
  if (after.state == TaskState::expired && too_early) {
    world_.fail("contract", facts.name() + " expires before its ttl has passed");
  }
  if (after.state == TaskState::cancelled && !facts.cancel_asked &&
      !tasks_.is_purged(facts.spec().queue)) {
    world_.fail("P2", facts.name() + " is cancelled though nobody asked for it");
  }
}

// After a failed attempt: the backoff, shortened by up to half. A lost lease waits for nothing.
void Books::judge_retry(const TaskFacts& facts, const TaskRecord& after, Reason reason) {
  if (is_terminal(after.state) || reason == Reason::lease_lost) return;
  Duration most = std::min(after.backoff.initial, after.backoff.max);
  for (int attempt = 1; attempt < after.attempts; ++attempt) {
    most = std::min(most * 2, after.backoff.max);
  }
  if (most / 2 == Duration()) return;
  const Duration waits = after.due - now_;
  if (after.state != TaskState::delayed || waits < most / 2 || waits > most) {
    world_.fail("contract", facts.name() + " is tried again without its backoff");
  }
}

// ---- the books ----------------------------------------------------------------------------------

bool Books::all_ended() const {
  return in_state(TaskState::delayed) + in_state(TaskState::pending) +
             in_state(TaskState::in_progress) ==
         0;
}

bool Books::is_paused(QueueNumber queue) const {
  const auto found = paused_.find(queue);
  return found != paused_.end() && found->second;
}

std::uint64_t Books::first_fresh(QueueNumber queue, std::uint8_t priority) const {
  const auto found = fresh_.find({queue, priority});
  return found == fresh_.end() || found->second.empty() ? 0 : *found->second.begin();
}

std::uint64_t Books::pending(QueueNumber queue, std::uint8_t priority) const {
  const auto found = pending_.find(queue);
  return found == pending_.end() ? 0 : found->second[priority];
}

void Books::check_totals(const Totals& totals, const char* when) {
  std::uint64_t known = totals.pruned;
  for (const std::uint64_t count : by_state_) known += count;
  const std::uint64_t dead = in_state(TaskState::dead) + totals.requeued;
  const bool balanced = known == totals.accepted &&
                        totals.succeeded == in_state(TaskState::succeeded) &&
                        totals.cancelled == in_state(TaskState::cancelled) &&
                        totals.expired == in_state(TaskState::expired) &&
                        totals.dead == dead + totals.pruned;  // only dead tasks are ever purged
  if (balanced) return;
  world_.fail("P5", std::string("the books do not balance ") + when + ": accepted " +
                        std::to_string(totals.accepted) + ", counted " + std::to_string(known) +
                        "; succeeded " + std::to_string(totals.succeeded) + ", counted " +
                        std::to_string(in_state(TaskState::succeeded)));
}

}  // namespace millrace::simulation
