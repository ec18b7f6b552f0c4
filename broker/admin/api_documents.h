// What the HTTP API answers, as JSON. Pure functions; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "broker/admin/task_door.h"
#include "common/base/messages.h"

namespace millrace::broker {

// How one item of a submit fared.
struct SubmitOutcome {
  TaskId id;  // nil when the item was no task
  Result<SubmitStatus> status;
};
// {"id", "status": "accepted" or "duplicate"}, or {"id", "error": {"code", "message"}}.
std::string submit_json(const SubmitOutcome& outcome);
// {"accepted", "refused", "tasks": [...]}, the items in the order of the request.
std::string submit_batch_json(const std::vector<SubmitOutcome>& outcomes);

// {"id", "status": "cancelled" or "cancelling", "state"}.
std::string cancel_json(const TaskId& id, const CancelAnswer& answer);

// {"changed"}; of a step also "next_cursor", null at the end.
std::string changed_json(std::uint64_t count);
std::string step_json(const TasksChanged& changed);

// The leased task, with its payload and headers. Errors: corrupt, when its spec cannot be read.
Result<std::string> lease_json(const DispatchedTask& task, Duration lease,
                               const PeerLimits& limits);

// {"task", "fence", "status"}.
std::string lease_status_json(const HeldLease& lease, std::string_view status);

}  // namespace millrace::broker
