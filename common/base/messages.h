// The protocol's messages as plain values: what the codecs decode to and encode from, and what the
// broker's core and the client's and worker's sessions exchange. Their meaning is normative in
// docs/protocol.md; names here, in schemas/ and there are the same.
//
// Values own what they hold. A vector of entries is a batch; its order is the order of the answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/ids.h"
#include "common/base/limits.h"
#include "common/base/result.h"
#include "common/base/task_state.h"
#include "common/base/time.h"

namespace millrace {

// ---- the task as the client describes it --------------------------------------------------------

// Exponential backoff: the n-th retry waits initial * 2^(n-1), at most `max`, shortened by up to
// half at random so that retries spread.
struct Backoff {
  Duration initial = Duration::seconds(1);
  Duration max = Duration::minutes(5);
  friend bool operator==(const Backoff&, const Backoff&) = default;
};

// What the broker reads of a task; the payload stays inside `bytes`, the TaskSpec FlatBuffer
// exactly as the client wrote it, which goes to the store and to the worker unchanged.
struct TaskSpec {
  TaskId id;
  std::string queue;
  std::uint8_t priority = kPriorityDefault;  // 0..9, higher first
  std::uint16_t max_attempts = kAttemptsDefault;
  Duration delay;    // from acceptance; zero: none
  Time not_before;   // wall clock; none: at once. The later of delay and not_before holds
  Duration ttl;      // from acceptance to the first start; zero: never expires
  Duration timeout;  // of one attempt; zero: the broker's default
  Duration retention =
      Duration::nanoseconds(-1);  // of the ended task; negative: the broker's default
  Backoff backoff;
  ByteCount payload_bytes;
  std::uint64_t content_hash = 0;  // over everything above and the payload, computed on decoding
  SharedBytes bytes;
};

// ---- client to broker ---------------------------------------------------------------------------

struct ClientHello {
  RequestId request;
  ClientId client;
  std::uint16_t protocol_version = kProtocolVersion;
};
// One item of a Submit: a spec, or why it cannot be one (then the rest of `spec` means nothing).
struct SubmitItem {
  TaskSpec spec;
  std::optional<Error> problem;  // invalid or too_large, found while decoding
};
struct Submit {
  RequestId request;
  bool watch = false;  // send Finished for these tasks, as if watched
  std::vector<SubmitItem> tasks;
};
struct Watch {  // idempotent: tasks that have ended are answered at once
  RequestId request;
  std::vector<TaskId> tasks;
};
struct Cancel {
  RequestId request;
  std::vector<TaskId> tasks;
};
struct GetTasks {
  RequestId request;
  std::vector<TaskId> tasks;
  bool with_payload = false;  // at most 1,000 tasks with any of these
  bool with_result = false;
  bool with_attempts = false;
};
struct TaskFilter {
  std::string queue;               // empty: any
  TaskState state = TaskState{0};  // 0: any
  // What follows is for ChangeTasks; ListTasks does not carry it.
  Reason reason = Reason::none;  // none: any
  std::uint8_t priority_least = 0;
  std::uint8_t priority_most = kPriorityHighest;
  Time accepted_after = Time();   // none: any
  Time accepted_before = Time();  // none: any
  friend bool operator==(const TaskFilter&, const TaskFilter&) = default;
};
struct ListTasks {
  RequestId request;
  TaskFilter filter;
  std::uint64_t cursor = 0;  // 0, or next_cursor of the TaskList before
  std::uint32_t limit = 100;
  bool with_attempts = false;
};
struct RequeueDead {  // dead -> pending with a fresh count of attempts
  RequestId request;
  std::vector<TaskId> tasks;  // empty: every dead task of `queue`, or of all queues
  std::string queue;
};
struct PurgeDead {  // forgets dead tasks for good
  RequestId request;
  std::vector<TaskId> tasks;  // as in RequeueDead
  std::string queue;
};
enum class QueueAction : std::uint8_t { pause = 1, resume = 2, purge = 3 };
struct ControlQueue {  // purge: cancels every waiting task of the queue
  RequestId request;
  std::string queue;
  QueueAction action = QueueAction::pause;
};
struct DrainWorker {
  RequestId request;
  std::string worker;  // by name
};
enum class StatusTopic : std::uint8_t { metrics = 1, workers = 2, queues = 3 };
struct GetStatus {
  RequestId request;
  StatusTopic topic = StatusTopic::metrics;
};
struct Ping {
  RequestId request;
};
struct ClientGoodbye {};
struct Explain {
  RequestId request;
  TaskId task;
};
enum class TaskAction : std::uint8_t {
  cancel = 1,   // waiting and running tasks
  requeue = 2,  // dead tasks: pending with a fresh count of attempts
  forget = 3,   // ended tasks: for good
};
// One bounded step over the tasks that the filter means; repeated with the answer's cursor until
// that is 0.
struct ChangeTasks {
  RequestId request;
  TaskAction action = TaskAction::cancel;
  TaskFilter filter;
  std::uint64_t cursor = 0;
  std::uint32_t limit = 0;  // tasks to change in this step; 0: the broker's most
};

using ClientMessage =
    std::variant<ClientHello, Submit, Watch, Cancel, GetTasks, ListTasks, RequeueDead, PurgeDead,
                 ControlQueue, DrainWorker, GetStatus, Ping, ClientGoodbye, Explain, ChangeTasks>;

// ---- broker to client ---------------------------------------------------------------------------

struct Endpoints {  // ports on the host the peer already talks to
  std::uint16_t client_port = 0;
  std::uint16_t worker_port = 0;
  std::uint16_t beat_port = 0;
  std::uint16_t pulse_port = 0;
  std::uint16_t http_port = 0;
  friend bool operator==(const Endpoints&, const Endpoints&) = default;
};
struct ClientWelcome {
  RequestId request;
  Epoch epoch;
  Endpoints endpoints;
  PeerLimits limits;
  Duration beat_interval;  // of the pulse
  std::string broker_version;
};
enum class SubmitStatus : std::uint8_t {
  accepted = 1,   // durable
  duplicate = 2,  // the same task was accepted before: as good as accepted
  conflict = 3,   // the id belongs to a task with other content
  invalid = 4,    // breaks a rule; see the item's message
  too_large = 5,
  busy = 6,           // over a capacity limit; again after retry_after
  store_full = 7,     // again after retry_after
  shutting_down = 8,  // again after reconnecting
};
struct SubmitAnswer {
  SubmitStatus status = SubmitStatus::accepted;
  std::string message;  // empty for accepted and duplicate
};
struct Submitted {
  RequestId request;
  std::vector<SubmitAnswer> items;  // in the order of the Submit
  Duration retry_after;             // for busy, store_full, shutting_down
};
struct Watching {
  RequestId request;
  std::vector<TaskId> unknown;  // never accepted here, or pruned
};
// A task that has ended.
struct FinishedTask {
  TaskId id;
  TaskState state = TaskState::succeeded;
  Reason reason = Reason::none;
  std::uint16_t attempts = 0;
  std::string error;   // of the last attempt
  SharedBytes result;  // of a succeeded task
};
struct Finished {
  std::vector<FinishedTask> tasks;
};
enum class CancelStatus : std::uint8_t {
  cancelled = 1,         // it will not run (again)
  cancelling = 2,        // running; durably marked: it will end as cancelled
  already_finished = 3,  // succeeded, dead or expired before
  not_found = 4,
};
struct CancelAnswer {
  CancelStatus status = CancelStatus::cancelled;
  TaskState state = TaskState::cancelled;  // the state now
};
struct Cancelled {
  RequestId request;
  std::vector<CancelAnswer> items;  // in the order of the Cancel
};
// One attempt that did not succeed, as kept in the store.
struct AttemptRecord {
  std::uint16_t attempt = 0;
  Fence fence;
  Reason reason = Reason::none;
  Time started;  // when the lease was granted
  Time ended;
  std::string worker;
  std::string error;
  friend bool operator==(const AttemptRecord&, const AttemptRecord&) = default;
};
struct TaskView {
  TaskId id;
  TaskSequence sequence;
  std::string queue;
  TaskState state = TaskState::pending;
  Reason reason = Reason::none;
  bool cancel_requested = false;
  std::uint8_t priority = 0;
  std::uint16_t attempts = 0;
  std::uint16_t max_attempts = 0;
  Fence fence;
  Duration timeout;
  Time accepted;
  Time due;            // delayed: when it becomes pending; none otherwise
  Time expires;        // waiting with a ttl; none otherwise
  Time ended;          // terminal; none otherwise
  std::string worker;  // in_progress: its name; may be empty just after a broker restart
  std::uint8_t progress_percent = 0;
  std::string error;  // of the last attempt that did not succeed
  ByteCount payload_bytes;
  ByteCount result_bytes;
  SharedBytes spec;                            // the TaskSpec FlatBuffer, when asked for
  SharedBytes result;                          // when asked for
  std::vector<AttemptRecord> attempt_records;  // when asked for
};
struct TaskList {
  RequestId request;
  std::vector<TaskView> tasks;    // GetTasks: those found, in the order asked
  std::vector<TaskId> unknown;    // GetTasks: the others
  std::uint64_t next_cursor = 0;  // ListTasks: 0 at the end
};
struct Changed {  // answers RequeueDead, PurgeDead, ControlQueue, DrainWorker
  RequestId request;
  std::uint64_t count = 0;  // tasks, queues or workers that changed
};
struct StatusReport {
  RequestId request;
  std::string json;  // the same document as HTTP serves
};
struct Pong {
  RequestId request;
  Epoch epoch;
};
// Where a task stands, and so why it does not run.
struct Explained {
  RequestId request;
  TaskView task;  // with its attempt records; `worker` also of a task that ended
  TaskStanding standing = TaskStanding::workers_full;
  std::string text;  // one line for a person
  Time since;        // how long it has been in its state: pending, in progress, ended
  Time until;        // when it goes on by itself: due, or the end of the lease; none: unknown
  Time started;      // when its newest lease was granted; none: never, or not known
  std::uint64_t ahead = 0;         // tasks of its queue that come before it
  bool ahead_is_estimate = false;  // counted from what the indexes tell, not one by one
  Duration wait;                   // for its start, at the recent pace of its queue; zero: unknown
  std::uint32_t workers = 0;       // connected workers that serve its queue
};
struct TasksChanged {
  RequestId request;
  std::uint64_t count = 0;
  std::uint64_t next_cursor = 0;  // 0 at the end
};
struct Refused {      // the request was not done
  RequestId request;  // none when the request could not be read
  ErrorCode code = ErrorCode::invalid;
  std::string message;
  Duration retry_after;
};
struct BrokerGoodbye {  // the broker stops; reconnect and ask again
  std::string message;
};

using ClientReply =
    std::variant<ClientWelcome, Submitted, Watching, Finished, Cancelled, TaskList, Changed,
                 StatusReport, Pong, Refused, BrokerGoodbye, Explained, TasksChanged>;

// ---- worker to broker ---------------------------------------------------------------------------

struct HeldLease {
  TaskId task;
  Fence fence;
  friend bool operator==(const HeldLease&, const HeldLease&) = default;
};
// Opens a session, or opens it again after a reconnect or a new epoch. Everything the broker leased
// to this worker and that is not in `holding` never arrived and is given to others at no cost.
struct WorkerHello {
  std::uint64_t hello_number = 0;  // grows with each hello of the process; echoed
  WorkerId worker;
  std::string name;
  std::vector<std::string> queues;
  std::uint32_t slots = 1;   // tasks it runs at once
  std::uint32_t credit = 1;  // unfinished tasks it wants to hold: slots plus prefetch
  std::string version;
  std::uint16_t protocol_version = kProtocolVersion;
  std::vector<HeldLease> holding;  // running, queued, and finished but not yet acknowledged
};
struct Completion {
  TaskId task;
  Fence fence;
  Outcome outcome = Outcome::succeeded;
  std::string error;
  SharedBytes result;
  Duration elapsed;  // in the handler
};
struct Complete {
  std::vector<Completion> items;
  std::uint32_t credit = 1;          // as in WorkerHello, the newest wish
  std::uint64_t answers_recall = 0;  // the recall_number this answers, or 0
};
// Re-arms the attempt timeout and reports progress.
struct Extension {
  TaskId task;
  Fence fence;
  Duration by;  // the timeout runs anew for this long; zero: the task's timeout
  std::uint8_t progress_percent = 0;
};
struct Extend {
  std::vector<Extension> items;
};
struct WorkerGoodbye {  // nothing is held any more, or what is held may be given to others
  std::string message;
};

using WorkerMessage = std::variant<WorkerHello, Complete, Extend, WorkerGoodbye>;

// ---- broker to worker ---------------------------------------------------------------------------

struct WorkerWelcome {
  std::uint64_t hello_number = 0;
  SessionNonce session;
  Epoch epoch;
  Endpoints endpoints;
  PeerLimits limits;
  LivenessSettings liveness;
  std::vector<HeldLease> stale;  // of `holding`: stop these, their results would be refused
  std::string broker_version;
};
struct DispatchedTask {
  TaskId task;
  Fence fence;
  std::uint16_t attempt = 1;
  std::uint16_t max_attempts = 1;
  Duration timeout;
  std::string queue;
  SharedBytes spec;  // the TaskSpec FlatBuffer
};
struct Dispatch {
  std::vector<DispatchedTask> tasks;
};
struct CompletionAnswer {
  TaskId task;
  Fence fence;
  bool accepted = true;  // false: stale_lease, nothing was changed
};
struct Completed {  // durable
  std::vector<CompletionAnswer> items;
};
enum class StopCause : std::uint8_t { cancelled = 1, stale_lease = 2, timed_out = 3 };
struct StoppedTask {
  TaskId task;
  Fence fence;
  StopCause cause = StopCause::cancelled;
};
struct StopTasks {  // end these attempts; cancelled ones are answered by a Completion
  std::vector<StoppedTask> tasks;
};
struct Recall {  // hand back those that have not started; answer even if none
  std::uint64_t recall_number = 0;
  std::vector<HeldLease> tasks;
};
struct Drain {};  // take nothing new, finish, say goodbye

using WorkerReply = std::variant<WorkerWelcome, Dispatch, Completed, StopTasks, Recall, Drain,
                                 Refused, BrokerGoodbye>;

// ---- heartbeats ---------------------------------------------------------------------------------

struct Beat {  // worker PUB -> broker SUB
  WorkerId worker;
  SessionNonce session;
  std::uint64_t number = 0;  // grows
  std::uint32_t running = 0;
  std::uint32_t queued = 0;
};
struct Pulse {  // broker PUB -> all
  Epoch epoch;
  std::uint64_t number = 0;
  Time time;
  bool stopping = false;
};

}  // namespace millrace
