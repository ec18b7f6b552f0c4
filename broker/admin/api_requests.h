// What the requests of the HTTP API say, read strictly. Pure functions; thread-safe. Every error is
// invalid or too_large, with one line for a person.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "broker/admin/http_message.h"
#include "broker/admin/task_door.h"

namespace millrace::broker {

// One item of a submit: a task, which may have no id yet, or why it is none.
using SubmitEntry = Result<wire::TaskDescription>;
struct SubmitBody {
  bool batch = false;  // a list or lines; else one object, and one entry
  std::vector<SubmitEntry> entries;
};
// `lines`: one object a line. Errors: of the body as a whole.
Result<SubmitBody> read_submit(std::string_view body, bool lines, const PeerLimits& limits);

struct HeartbeatBody {
  HeldLease lease;
  LeaseUpdate update;
};
Result<HeartbeatBody> read_heartbeat(std::string_view body);
Result<Completion> read_complete(std::string_view body, const PeerLimits& limits);
Result<Completion> read_fail(std::string_view body);

// Whom a word of control is for, and what it says.
struct QueueControl {
  std::string queue;
  QueueAction action = QueueAction::pause;
};
Result<QueueControl> read_queue_control(std::string_view body, const PeerLimits& limits);
// The name of the worker that is told to drain.
Result<std::string> read_worker_drain(std::string_view body);
// The dead task that is to run again.
Result<TaskId> read_requeue(std::string_view body);
// `request` stays none.
Result<ChangeTasks> read_change(std::string_view body, const PeerLimits& limits);

// The parameters of a lease.
Result<LeaseRequest> read_lease(std::string_view query, const PeerLimits& limits);
// The `wait` parameter alone; zero without one.
Result<Duration> read_wait(std::string_view query);

}  // namespace millrace::broker
