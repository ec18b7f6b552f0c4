#include "tests/simulation/books.h"

#include <algorithm>

namespace millrace::simulation {

using namespace broker;  // NOLINT: the broker's writes in their own words

namespace {

bool is_delayed(const TaskSpec& spec) {
  return spec.delay > Duration() || !spec.not_before.is_none();
}

}  // namespace

// ---- the mirror ---------------------------------------------------------------------------------

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
  totals_ = totals;
}

void Books::load(const TaskRecord& record) {
  put(record);
}

void Books::end_load() {
  check_totals(totals_, "after a restart");
}

void Books::remove(Entry& entry, std::uint64_t sequence) {
  if (!entry.exists) return;
  --by_state_[index_of(entry.state)];
  if (entry.state == TaskState::pending) {
    --pending_[entry.queue][entry.priority];
    if (entry.fresh) fresh_[{entry.queue, entry.priority}].erase(sequence);
  }
}

void Books::put(const TaskRecord& record) {
  TaskFacts* facts = tasks_.find(record.id);
  if (facts == nullptr) {
    world_.fail("P15", "the store holds a task that nobody submitted");
    return;
  }
  const std::uint64_t sequence = record.sequence.value;
  if (entries_.size() <= sequence) entries_.resize(sequence + 1);
  Entry& entry = entries_[sequence];
  const bool is_new = !entry.exists;
  if (is_new && !ids_.insert(record.id).second) {
    world_.fail("P8", facts->name() + " is there twice");
  }
  if (!is_new && entry.state == TaskState::dead && record.state != TaskState::dead) {
    ++facts->requeues;
  }
  remove(entry, sequence);
  if (is_new) entry.fresh = !is_delayed(facts->spec());
  entry.fresh = entry.fresh && record.state == TaskState::pending && record.fence.is_none();
  entry.exists = true;
  entry.state = record.state;
  entry.queue = record.queue;
  entry.priority = facts->spec().priority;
  entry.accepted = record.accepted;
  ++by_state_[index_of(entry.state)];
  if (entry.state == TaskState::pending) {
    ++pending_[entry.queue][entry.priority];
    if (entry.fresh) fresh_[{entry.queue, entry.priority}].insert(sequence);
  }
}

bool Books::all_ended() const {
  return in_state(TaskState::delayed) + in_state(TaskState::pending) +
             in_state(TaskState::in_progress) ==
         0;
}

// ---- a turn -------------------------------------------------------------------------------------

void Books::decide(const Effects& effects, Time now, const Totals& totals) {
  for (const Write& write : effects.writes) {
    if (const auto* task = std::get_if<PutTask>(&write)) put(task->record);
    if (const auto* erased = std::get_if<EraseTask>(&write)) {
      Entry& entry = entries_[erased->sequence.value];
      remove(entry, erased->sequence.value);
      entry.exists = false;
      world_.fail("P1", "a task was forgotten long before its retention");
    }
  }
  totals_ = totals;
  last_clock_ = now;
  check_totals(totals, "after a turn");
  check_dispatches(effects, now);
}

void Books::check_totals(const Totals& totals, const char* when) {
  std::uint64_t known = totals.pruned;
  for (const std::uint64_t count : by_state_) known += count;
  const bool balanced = known == totals.accepted &&
                        totals.succeeded == in_state(TaskState::succeeded) &&
                        totals.cancelled == in_state(TaskState::cancelled) &&
                        totals.expired == in_state(TaskState::expired) &&
                        totals.dead == in_state(TaskState::dead) + totals.requeued;
  if (balanced) return;
  world_.fail("P5", std::string("the books do not balance ") + when + ": accepted " +
                        std::to_string(totals.accepted) + ", counted " + std::to_string(known) +
                        "; succeeded " + std::to_string(totals.succeeded) + ", counted " +
                        std::to_string(in_state(TaskState::succeeded)));
}

void Books::check_dispatches(const Effects& effects, Time now) {
  std::map<Lane, std::uint64_t> newest_fresh;
  std::map<QueueNumber, std::uint8_t> lowest_priority;
  for (const Send& send : effects.sends) {
    const auto* dispatch = std::get_if<DispatchToWorker>(&send);
    if (dispatch == nullptr) continue;
    for (const DispatchToWorker::Item& item : dispatch->items) {
      TaskFacts* facts = tasks_.find(item.task.task);
      if (facts == nullptr) continue;
      facts->decided.emplace_back(item.task.fence, world_.now());
      const Entry& entry = entries_[item.sequence.value];
      check_not_early(*facts, entry, now);
      const auto lowest = lowest_priority.try_emplace(entry.queue, entry.priority).first;
      lowest->second = std::min(lowest->second, entry.priority);
      if (is_delayed(facts->spec()) || item.task.fence != Fence(1)) continue;
      std::uint64_t& newest = newest_fresh[{entry.queue, entry.priority}];
      newest = std::max(newest, item.sequence.value);
    }
  }
  check_order(newest_fresh, lowest_priority);
}

void Books::check_not_early(const TaskFacts& facts, const Entry& entry, Time now) {
  const Time due = std::max(entry.accepted + facts.spec().delay, facts.spec().not_before);
  if (std::max(now, facts.clock_seen) >= due) return;  // was due once, before the clock fell back
  world_.fail("P13", facts.name() + " is given out " + to_text(due - now) + " before it is due");
}

// What was left waiting must not come before what was given out.
void Books::check_order(const std::map<Lane, std::uint64_t>& newest_fresh,
                        const std::map<QueueNumber, std::uint8_t>& lowest_priority) {
  for (const auto& [lane, newest] : newest_fresh) {
    const auto waiting = fresh_.find(lane);
    if (waiting == fresh_.end() || waiting->second.empty()) continue;
    if (*waiting->second.begin() < newest) {
      world_.fail("P9", "sequence " + std::to_string(newest) + " overtook sequence " +
                            std::to_string(*waiting->second.begin()) + " of the same priority");
    }
  }
  if (plan_.aging) return;
  for (const auto& [queue, lowest] : lowest_priority) {
    const auto& waiting = pending_[queue];
    for (std::size_t priority = lowest + std::size_t{1}; priority < kPriorities; ++priority) {
      if (waiting[priority] == 0) continue;
      world_.fail("P9", "priority " + std::to_string(lowest) + " is given out while priority " +
                            std::to_string(priority) + " waits");
    }
  }
}

}  // namespace millrace::simulation
