// A status snapshot as the JSON documents that HTTP serves and that a StatusReport carries.
//
// Counters are numbers; what ends in _total only grows. Durations are seconds. Ids above 2^53 - 1
// are strings. Text that is not UTF-8 is repaired. Pure functions; thread-safe.
#pragma once

#include <string>

#include "broker/admin/status_snapshot.h"

namespace millrace::broker {

// GET /metrics. completed_tasks, cancelled_tasks, expired_tasks and pruned_tasks count since the
// data directory was made; pending_, in_progress_, delayed_ and dead_tasks are how many there are
// now. The books: submitted_tasks is the sum of tasks_by_state plus pruned_tasks. Quantiles of a
// latency that has never been measured (count 0) are 0.
std::string metrics_json(const StatusSnapshot& snapshot);

// GET /workers: an object by worker name; the second worker of a name has the key "name#2".
std::string workers_json(const StatusSnapshot& snapshot);

// GET /queues: {"queues": [...]}, by name.
std::string queues_json(const StatusSnapshot& snapshot);

// GET /history: {"samples": [...]}, oldest first; see StatusSample.
std::string history_json(const StatusSnapshot& snapshot);

// What an event of GET /events carries, on one line: {"metrics": …, "workers": …} as in the
// documents above, of at most `workers_max` workers.
std::string event_json(const StatusSnapshot& snapshot, std::size_t workers_max);

}  // namespace millrace::broker
