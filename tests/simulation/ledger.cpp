#include "tests/simulation/ledger.h"

#include <algorithm>

namespace millrace::simulation {
namespace {

// How much earlier than the broker the oracle gives up on a worker.
constexpr Duration kSlack = Duration::milliseconds(500);
// For how long after a disturbance its consequences may still show.
constexpr Duration kAftermath = Duration::seconds(6);

std::string fence_text(Fence fence) {
  return "fence " + std::to_string(fence.value);
}

}  // namespace

// ---- the broker's side --------------------------------------------------------------------------

// Whoever was nearly given up when the broker crashed may have been given up in its last commit.
void Ledger::broker_starts(Duration grace) {
  for (auto& [id, process] : processes_) {
    process.hello_due = world_.now() + grace - kSlack;
    if (awake_ - process.heard > silence_max_ - kSlack) process.quiet_since = world_.now();
  }
}

// A gap that the broker takes for a stall of its own ends nobody's lease.
void Ledger::broker_turns(Duration gap, const broker::CoreSettings& settings) {
  silence_max_ = settings.liveness.silence_max;
  awake_ += gap > settings.stall_min ? settings.tick_interval_max : gap;
}

void Ledger::said_hello(const WorkerId& worker) {
  Process& process = processes_[worker];
  if (!process.hello_due.has_value()) return;
  if (world_.now() > *process.hello_due) process.quiet_since = world_.now();
  process.hello_due.reset();
  process.heard = awake_;
}

void Ledger::heard(const WorkerId& worker) {
  Process& process = processes_[worker];
  if (awake_ - process.heard > silence_max_ - kSlack) process.quiet_since = world_.now();
  process.heard = awake_;
}

Duration Ledger::silence_of(const WorkerId& worker) const {
  const auto found = processes_.find(worker);
  return found == processes_.end() ? awake_ : awake_ - found->second.heard;
}

// ---- the worker's side --------------------------------------------------------------------------

void Ledger::process_ends(const WorkerId& worker) {
  processes_[worker].alive = false;
  for (TaskFacts& facts : tasks_.all()) {
    for (Start& start : facts.starts) {
      if (start.worker == worker) start.running = false;
    }
  }
}

void Ledger::disturbed(const WorkerId& worker, Duration length) {
  Process& process = processes_[worker];
  process.quiet_since = std::max(process.quiet_since, world_.now() + length + kAftermath);
}

bool Ledger::is_entitled(const Start& start) const {
  const auto found = processes_.find(start.worker);
  if (found == processes_.end() || !found->second.alive) return false;
  const Process& process = found->second;
  if (!start.running || start.stopped || start.handed_back || start.reported) return false;
  if (start.decided <= process.quiet_since || world_.now() <= process.quiet_since) return false;
  if (world_.now() >= start.decided + start.timeout) return false;
  if (process.hello_due.has_value() && world_.now() > *process.hello_due) return false;
  return awake_ - process.heard <= silence_max_ - kSlack;
}

void Ledger::attempt_starts(const WorkerId& worker, const DispatchedTask& task) {
  TaskFacts* facts = tasks_.find(task.task);
  if (facts == nullptr) return world_.fail("P15", "a task runs that nobody submitted");
  if (facts->purge_asked) return;
  if (facts->find_start(task.fence) != nullptr) {
    return world_.fail("P3", facts->name() + " starts twice under " + fence_text(task.fence));
  }
  const bool known_content =
      std::any_of(facts->contents.begin(), facts->contents.end(),
                  [&](const TaskSpec& spec) { return spec.bytes == task.spec; });
  if (!known_content) world_.fail("P1", facts->name() + " runs with a payload that nobody sent");
  for (const Start& other : facts->starts) {
    if (other.fence > task.fence || !is_entitled(other)) continue;
    world_.fail("P7", facts->name() + " was taken from a live worker: it runs under " +
                          fence_text(other.fence) + " and starts under " + fence_text(task.fence));
  }
  Start start;
  start.fence = task.fence;
  start.worker = worker;
  start.timeout = task.timeout;
  for (const auto& [fence, decided] : facts->decided) {
    if (fence == task.fence) start.decided = decided;
  }
  facts->starts.push_back(start);
  check_attempts(*facts);
}

void Ledger::check_attempts(const TaskFacts& facts) {
  const auto counted = std::count_if(facts.starts.begin(), facts.starts.end(),
                                     [](const Start& start) { return !start.handed_back; });
  const std::uint64_t most =
      std::uint64_t{facts.spec().max_attempts} * (std::uint64_t{1} + facts.requeues);
  if (static_cast<std::uint64_t>(counted) <= most) return;
  world_.fail("P4", facts.name() + " started " + std::to_string(counted) + " times; allowed are " +
                        std::to_string(most));
}

void Ledger::attempt_ends(const HeldLease& lease) {
  TaskFacts* facts = tasks_.find(lease.task);
  Start* start = facts == nullptr ? nullptr : facts->find_start(lease.fence);
  if (start != nullptr) start->running = false;
}

void Ledger::attempt_stopped(const HeldLease& lease, StopCause cause) {
  TaskFacts* facts = tasks_.find(lease.task);
  Start* start = facts == nullptr ? nullptr : facts->find_start(lease.fence);
  if (start == nullptr) return;
  if (cause == StopCause::stale_lease && !facts->purge_asked && is_entitled(*start)) {
    world_.fail("P7", facts->name() + " is stopped as stale under " + fence_text(lease.fence) +
                          " though its worker lives");
  }
  start->stopped = true;
}

bool Ledger::reported(const Completion& completion) {
  TaskFacts* facts = tasks_.find(completion.task);
  Start* start = facts == nullptr ? nullptr : facts->find_start(completion.fence);
  if (start == nullptr) return false;
  const bool again = start->reported.has_value();
  start->reported = completion.outcome;
  if (completion.outcome == Outcome::released) start->handed_back = true;
  start->result = completion.result;
  return again;
}

void Ledger::answered(const CompletionAnswer& answer) {
  TaskFacts* facts = tasks_.find(answer.task);
  Start* start = facts == nullptr ? nullptr : facts->find_start(answer.fence);
  if (start == nullptr || facts->purge_asked || start->reported != Outcome::succeeded) return;
  if (answer.accepted ? start->refused : start->accepted) {
    world_.fail("P3", facts->name() + ": a repeat of the completion under " +
                          fence_text(answer.fence) + " is answered differently");
  }
  (answer.accepted ? start->accepted : start->refused) = true;
  if (!answer.accepted) return;
  for (const Start& other : facts->starts) {
    if (!other.accepted || other.reported != Outcome::succeeded || other.fence == answer.fence) {
      continue;
    }
    world_.fail("P3", facts->name() + ": completions under " + fence_text(other.fence) + " and " +
                          fence_text(answer.fence) + " both count");
  }
}

}  // namespace millrace::simulation
