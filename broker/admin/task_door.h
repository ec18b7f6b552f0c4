// What HTTP can do to tasks, as an ordinary client and an ordinary worker would: the one door for
// everything that changes state.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/messages.h"
#include "common/wire/task_codec.h"

namespace millrace::broker {

// Asked now and then by a call that waits; true ends it early.
using Abandoned = std::function<bool()>;

struct LeaseRequest {
  std::vector<std::string> queues;  // at least one, valid names
  std::string worker;               // its name for people
  Duration wait;                    // for a task
  Duration lease;                   // without a word from the holder
};

// How a lease stands, or how its end was taken.
enum class LeaseState {
  held,       // it goes on
  accepted,   // its completion counts and is durable
  stale,      // it is lost: the task has moved on
  cancelled,  // a client cancelled the task; the lease is over
  unknown     // the broker has not said so yet
};

// A word from the holder of a lease.
struct LeaseUpdate {
  std::optional<Duration> extend;  // the attempt timeout runs anew for this; zero: for its own
  std::uint8_t progress_percent = 0;
};

// Thread-safe. Calls block until the answer is there, or until a time of the implementation's has
// passed: then Error{unavailable}, and done or not done is unknown. After close(), calls under way
// and later ones end soon.
class TaskDoor {
 public:
  virtual ~TaskDoor() = default;

  // The broker's limits, for checks before anything is sent.
  virtual PeerLimits limits() = 0;

  // One answer a task, in their order; each has an id. An item's Error{unavailable}: unknown, safe
  // to repeat with its id.
  virtual std::vector<Result<SubmitStatus>> submit(
      const std::vector<wire::TaskDescription>& tasks) = 0;
  // An id for a task that came without one.
  virtual TaskId draw_id() = 0;

  // The task as it is when it has ended, when `wait` has passed or when `abandoned`. Errors:
  // not_found.
  virtual Result<TaskView> get(const TaskId& task, Duration wait, const Abandoned& abandoned) = 0;
  virtual Result<CancelAnswer> cancel(const TaskId& task) = 0;

  // What an operator does; see the client library. Errors: not_found (the queue or the worker).
  virtual Result<std::uint64_t> control_queue(const std::string& queue, QueueAction action) = 0;
  virtual Result<std::uint64_t> drain_worker(const std::string& worker) = 0;
  // A dead task runs again, with all attempts: 1, or 0 when it was not dead.
  virtual Result<std::uint64_t> requeue(const TaskId& task) = 0;
  virtual Result<TasksChanged> change_tasks(const ChangeTasks& change) = 0;

  // A task, or none within `wait`. The lease is the caller's from here on. Errors: busy (too many
  // leases), or what the broker refuses with.
  virtual Result<std::optional<DispatchedTask>> lease(const LeaseRequest& request,
                                                      const Abandoned& abandoned) = 0;
  virtual Result<LeaseState> heartbeat(const HeldLease& lease, const LeaseUpdate& update) = 0;
  // Its `elapsed` is ignored.
  virtual Result<LeaseState> finish(Completion completion) = 0;
  // A task that `lease` gave and that did not reach its worker. Does not wait.
  virtual void hand_back(const HeldLease& lease) = 0;

  virtual void close() = 0;
};

}  // namespace millrace::broker
