#include "tests/simulation/dispatches.h"

#include <algorithm>
#include <string>

namespace millrace::simulation {

using namespace broker;  // NOLINT: the broker's effects in their own words

void Dispatches::check(const Effects& effects, Time now) {
  std::map<Lane, std::uint64_t> newest_fresh;
  std::map<QueueNumber, std::uint8_t> lowest_priority;
  for (const Send& send : effects.sends) {
    const auto* dispatch = std::get_if<DispatchToWorker>(&send);
    if (dispatch == nullptr) continue;
    for (const DispatchToWorker::Item& item : dispatch->items) {
      TaskFacts* facts = tasks_.find(item.task.task);
      if (facts == nullptr) continue;
      const TaskRecord& record = books_.entry(item.sequence).record;
      facts->decided.emplace_back(item.task.fence, world_.now());
      check_item(*facts, record, item.task, now);
      const auto lowest = lowest_priority.try_emplace(record.queue, record.priority).first;
      lowest->second = std::min(lowest->second, record.priority);
      const bool delayed = facts->spec().delay > Duration() || !facts->spec().not_before.is_none();
      if (delayed || item.task.fence != Fence(1)) continue;
      std::uint64_t& newest = newest_fresh[{record.queue, record.priority}];
      newest = std::max(newest, item.sequence.value);
    }
  }
  check_order(newest_fresh, lowest_priority);
}

void Dispatches::check_item(TaskFacts& facts, const TaskRecord& record,
                            const DispatchedTask& dispatched, Time now) {
  if (record.state != TaskState::in_progress || record.fence != dispatched.fence ||
      record.attempts != dispatched.attempt) {
    world_.fail("P4", facts.name() + " is given out before its attempt is on record");
  }
  if (books_.is_paused(record.queue)) {
    world_.fail("contract", facts.name() + " is given out though its queue is paused");
  }
  const Duration ttl = facts.spec().ttl;
  if (ttl > Duration() && dispatched.fence == Fence(1) && now >= record.accepted + ttl) {
    world_.fail("contract", facts.name() + " is given out after its ttl");
  }
  const Time due = std::max(record.accepted + facts.spec().delay, facts.spec().not_before);
  if (std::max(now, facts.clock_seen) >= due) return;  // was due once, before the clock fell back
  world_.fail("P13", facts.name() + " is given out " + to_text(due - now) + " before it is due");
}

// What was left waiting must not come before what was given out.
void Dispatches::check_order(const std::map<Lane, std::uint64_t>& newest_fresh,
                             const std::map<QueueNumber, std::uint8_t>& lowest_priority) {
  for (const auto& [lane, newest] : newest_fresh) {
    const std::uint64_t first = books_.first_fresh(lane.first, lane.second);
    if (first == 0 || first > newest) continue;
    world_.fail("P9", "sequence " + std::to_string(newest) + " overtook sequence " +
                          std::to_string(first) + " of the same priority");
  }
  if (plan_.aging) return;
  for (const auto& [queue, lowest] : lowest_priority) {
    for (int priority = lowest + 1; priority < static_cast<int>(kPriorities); ++priority) {
      if (books_.pending(queue, static_cast<std::uint8_t>(priority)) == 0) continue;
      world_.fail("P9", "priority " + std::to_string(lowest) + " is given out while priority " +
                            std::to_string(priority) + " waits");
    }
  }
}

}  // namespace millrace::simulation
