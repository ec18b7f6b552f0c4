// Millrace for workers in C++: name a queue and a function, and run.
//
//   millrace::worker::Worker worker({.broker = "localhost", .slots = 8});
//   worker.handle("resize", [](const millrace::worker::Task& task) {
//     return millrace::worker::done(resize(task.payload()));
//   });
//   const millrace::Status status = worker.run();
//
// A task may run more than once: after a crash, a timeout or a lost connection. Make its effects
// idempotent, or guard them with fence(), which only grows.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/messages.h"

namespace millrace::worker {

// How an attempt ended, as its handler says.
struct Answer {
  Outcome outcome = Outcome::succeeded;
  SharedBytes result;
  std::string error;
};
Answer done(SharedBytes result = {});
Answer done(std::string_view result);  // copies
// Tries again after the task's backoff while attempts are left.
Answer retry(std::string why);
// Trying again is useless: straight to the dead-letter queue.
Answer fail_for_good(std::string why);

// Why a running attempt should end. The numbers grow with urgency.
enum class StopReason : std::uint8_t {
  none = 0,
  cancelled = 1,      // a client asked for it
  timed_out = 2,      // over the task's timeout; its result is not wanted any more
  lease_lost = 3,     // given to another worker
  shutting_down = 4,  // this process ends now
};

class HandlerContext;

// The attempt that a handler works on. Valid while the handler runs, and in its threads only so
// long. Every function is thread-safe.
class Task {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  TaskId id() const;
  const std::string& queue() const;
  std::uint16_t attempt() const;  // from 1
  std::uint16_t max_attempts() const;
  Fence fence() const;
  const Headers& headers() const;
  const SharedBytes& payload() const;
  ByteCount result_bytes_max() const;

  // True once the attempt should end. A handler that goes on occupies its slot for nothing.
  bool cancelled() const { return stop_reason() != StopReason::none; }
  StopReason stop_reason() const;
  // Sleeps for `time`, or until the attempt should end: then returns true.
  bool wait_for_stop(Duration time) const;
  // Readable in poll(2) once the attempt should end. Do not read from it or close it.
  int stop_descriptor() const;

  // Runs the attempt timeout anew for `by` from now; zero: for the task's own timeout.
  void extend(Duration by = Duration()) const;
  // Shows 1 to 100 percent in the task's status, and re-arms the timeout as extend() does.
  void progress(std::uint8_t percent) const;

 private:
  friend class HandlerContext;
  explicit Task(const HandlerContext& context) : context_(&context) {}
  const HandlerContext* context_;
};

// Runs in one of `slots` threads; may run in several at once. An exception becomes retry(what()).
using Handler = std::function<Answer(const Task&)>;

enum class NoticeLevel : std::uint8_t { info = 1, warning = 2 };

struct WorkerOptions {
  std::string broker = "localhost";  // HOST[:PORT]; without a port 5556
  std::string key;  // a key file made by `millrace keygen`, for a broker with keys; empty: none
  std::uint32_t slots = 0;             // tasks that run at once; 0: one a processor
  std::string name;                    // empty: host name and process id
  std::uint32_t prefetch_max = 1'000;  // tasks wanted beyond the slots when they are tiny, at most
  // From a request to stop to the hand-back of what still runs.
  Duration drain_timeout = Duration::seconds(30);
  // run() fails if no broker has answered within this; zero: it waits for ever.
  Duration connect_timeout;
  // Connects, losses and the end, in the thread of run(). Optional.
  std::function<void(NoticeLevel, const std::string&)> notice;
  // The broker has stored a completion, or refused it as stale: in the thread of run(). Optional.
  std::function<void(const CompletionAnswer&)> acknowledged;
  // Sees, and may falsify, every message before it is sent: fault injection for tests. Optional.
  std::function<void(WorkerMessage&)> before_send;
};

// One connection to a broker and its threads. Only request_stop() is thread-safe.
class Worker {
 public:
  explicit Worker(WorkerOptions options);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Takes tasks of `queue` and gives them to `handler`. Before run(). A second handler for a queue
  // replaces the first.
  void handle(const std::string& queue, Handler handler);

  // Works until told to stop; survives every loss of the broker. Call it once. Errors:
  // misconfigured (options, no queue); unavailable (no broker within connect_timeout); what the
  // broker says when it refuses this worker for good. A handler that never returns is left behind
  // in its thread.
  Status run();

  // The first call: take nothing new, finish or hand back what runs within drain_timeout, then
  // run() returns. The second: hand everything back and return at once. Not for signal handlers.
  void request_stop();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace millrace::worker
