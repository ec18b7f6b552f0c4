// Small makers for the tests of the core's parts.
#pragma once

#include <cstdint>
#include <cstring>

#include "broker/core/task_table.h"

namespace millrace::broker::test {

// Two ids are equal when both halves are.
inline TaskId id_of(std::uint64_t high, std::uint64_t low) {
  TaskId id;
  std::memcpy(&id.bytes[0], &high, 8);
  std::memcpy(&id.bytes[8], &low, 8);
  return id;
}

// Ids of one family have the same hash in an IdIndex without a secret, however many there are: the
// worst case of a table. The first word is mixed as IdIndex does it; the second makes up for it.
inline TaskId colliding_id(std::uint64_t family, std::uint64_t member) {
  std::uint64_t mixed = member * 0xff51afd7ed558ccdU;
  mixed ^= mixed >> 32;
  return id_of(member, family - mixed);
}

inline Time at_seconds(std::int64_t seconds) {
  return Time::since_epoch(Duration::days(20'000) + Duration::seconds(seconds));
}

// A task with this sequence, in no list.
inline TaskIndex add_task(TaskTable& tasks, std::uint64_t sequence,
                          std::uint8_t priority = kPriorityDefault) {
  TaskTerms terms;
  terms.priority = priority;
  const TaskIndex index = tasks.insert(id_of(1, sequence), terms);
  tasks[index].sequence = TaskSequence(sequence);
  return index;
}

}  // namespace millrace::broker::test
