// Everything the broker can want. One rule: a send of a turn leaves only after all writes of that
// turn (and of the turns before) are durable.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/base/messages.h"

namespace millrace::broker {

// Handle of a queue; its name is written once per queue. From 1.
using QueueNumber = Number<struct QueueTag, std::uint32_t>;

// ---- writes -------------------------------------------------------------------------------------

// The persistent fields of a task: small and fixed in size, rewritten on every change of state.
// What is not here is rebuilt from this on restart. The payload lies apart and is never rewritten.
struct TaskRecord {
  TaskSequence sequence;
  TaskId id;
  QueueNumber queue;
  TaskState state = TaskState::pending;
  Reason reason = Reason::none;
  std::uint8_t priority = 0;
  bool cancel_requested = false;
  std::uint16_t attempts = 0;  // leases that count
  std::uint16_t max_attempts = 0;
  std::uint16_t attempt_records = 0;  // AttemptRecords kept for it, numbered from 1
  Fence fence;                        // the newest granted; 0: none yet
  std::uint64_t content_hash = 0;
  Time accepted;
  Time due;      // delayed: when it becomes pending
  Time expires;  // none: no ttl
  Time ended;    // terminal states
  // In progress: when the lease was granted. Ended while in progress: that of the last one, and the
  // name of its worker. None in every other state.
  Time leased;
  SharedBytes last_worker;
  Duration timeout;
  Duration retention;
  Backoff backoff;
  bool spec_stored = false;  // false: the spec is not stored any more
  ByteCount payload_bytes;
  ByteCount result_bytes;
  friend bool operator==(const TaskRecord&, const TaskRecord&) = default;
};

// The books, written with every batch that changes them. Since the data directory was made.
struct Totals {
  std::uint64_t accepted = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t dead = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t expired = 0;
  std::uint64_t requeued = 0;  // dead -> pending
  std::uint64_t retries = 0;   // failed attempts that were given another try
  std::uint64_t pruned = 0;    // ended tasks forgotten: by age, by bytes, or purged
  std::uint64_t lease_losses = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t last_sequence = 0;
  friend bool operator==(const Totals&, const Totals&) = default;
};

struct PutTask {
  TaskRecord record;
};
struct PutSpec {
  TaskSequence sequence;
  SharedBytes bytes;
};
struct EraseSpec {
  TaskSequence sequence;
};
struct PutResult {
  TaskSequence sequence;
  SharedBytes bytes;
};
struct PutAttempt {  // number: from 1 within the task
  TaskSequence sequence;
  std::uint16_t number = 1;
  AttemptRecord record;
};
struct EraseTask {  // the record and all that lies apart
  TaskSequence sequence;
  bool has_spec = false;
  bool has_result = false;
  std::uint16_t attempt_records = 0;
};
// Requeue of a dead task starts a fresh history.
struct EraseAttempts {
  TaskSequence sequence;
  std::uint16_t attempt_records = 0;
};
struct PutQueue {
  QueueNumber queue;
  std::string name;
  bool paused = false;
};
struct PutTotals {
  Totals totals;
};

using Write = std::variant<PutTask, PutSpec, EraseSpec, PutResult, PutAttempt, EraseTask,
                           EraseAttempts, PutQueue, PutTotals>;

// ---- sends --------------------------------------------------------------------------------------

// A reply whose bytes are complete.
struct ToClient {
  PeerId peer;
  ClientReply reply;
};
struct ToWorker {
  PeerId peer;
  WorkerReply reply;
};
// A Dispatch whose specs the outbox fills in when it leaves: from its cache, else from the store.
struct DispatchToWorker {
  struct Item {
    TaskSequence sequence;
    DispatchedTask task;  // spec still empty
  };
  PeerId peer;
  std::vector<Item> items;
};
// A Finished or TaskList whose stored parts the outbox fills in when it leaves.
struct FinishedToClient {
  struct Item {
    TaskSequence sequence;
    bool read_result = false;  // result lies in the store
    bool read_error = false;   // the last error lies in AttemptRecord `attempt_records`
    std::uint16_t attempt_records = 0;
    FinishedTask task;
  };
  PeerId peer;
  std::vector<Item> items;
};
struct TaskListToClient {
  PeerId peer;
  TaskList list;
  // For list.tasks[i]: how many AttemptRecords it has, and whether a spec and a result are stored.
  struct Stored {
    std::uint16_t attempt_records = 0;
    bool spec = false;
    bool result = false;
  };
  std::vector<Stored> stored;
  bool with_payload = false;
  bool with_result = false;
  bool with_attempts = false;
};
// The outbox adds the attempts and, of a task that ended, when and where it last ran.
struct ExplainedToClient {
  PeerId peer;
  Explained explained;
  std::uint16_t attempt_records = 0;
  bool read_last_lease = false;
};
// The shell renders the newest status snapshot.
struct StatusToClient {
  PeerId peer;
  RequestId request;
  StatusTopic topic = StatusTopic::metrics;
};
// To every known client and worker.
struct GoodbyeToAll {
  std::string message;
};

using Send = std::variant<ToClient, ToWorker, DispatchToWorker, FinishedToClient, TaskListToClient,
                          ExplainedToClient, StatusToClient, GoodbyeToAll>;

struct Effects {
  std::vector<Write> writes;
  std::vector<Send> sends;
  // Peers the core holds nothing about any more; the shell may forget their routing ids.
  std::vector<PeerId> forgotten;

  void clear() {
    writes.clear();
    sends.clear();
    forgotten.clear();
  }
};

}  // namespace millrace::broker
