// Batches of small tasks that are sound to the last record: a queue, tasks, payloads, and books
// that balance. Most of what they write is garbage soon.
#pragma once

#include <cstdint>
#include <vector>

#include "broker/core/effect.h"
#include "tests/conformance/store_values.h"

namespace millrace::testing {

// Every fifth task stays; the others are erased by the batch after theirs.
inline bool small_task_stays(std::uint64_t number) {
  return number % 5 == 0;
}

// Task `number` with a payload, beside large records that the next batch makes garbage of. The
// books do not fit in the entry that these fill.
inline std::vector<broker::Write> small_task_batch(std::uint64_t number) {
  broker::TaskRecord task;
  task.sequence = TaskSequence(number);
  task.id.bytes[15] = static_cast<std::uint8_t>(number);
  task.id.bytes[14] = 1;
  task.queue = broker::QueueNumber(1);
  task.max_attempts = 3;
  task.spec_stored = true;
  std::vector<broker::Write> writes = {
      broker::PutQueue{broker::QueueNumber(1), "mail", false}, broker::PutTask{task},
      broker::PutSpec{TaskSequence(number), make_bytes(1'900, number)},
      broker::PutSpec{TaskSequence(number), make_bytes(1'890, number)}};
  if (number > 1 && !small_task_stays(number - 1)) {
    writes.emplace_back(broker::EraseTask{TaskSequence(number - 1), true, false, 0});
  }
  broker::Totals totals;
  totals.accepted = number;
  totals.last_sequence = number;
  for (std::uint64_t before = 1; before < number; ++before) {
    if (!small_task_stays(before)) ++totals.pruned;
  }
  writes.emplace_back(broker::PutTotals{totals});
  return writes;
}

}  // namespace millrace::testing
