// The threads that run handlers, one a slot. They touch no socket: tasks come in and completions go
// out through one mutex, and a descriptor wakes the session's thread once for many completions.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/base/flat_map.h"
#include "common/host/event_descriptor.h"
#include "worker/cpp/attempts.h"
#include "worker/cpp/worker.h"

namespace millrace::worker {

using Handlers = std::map<std::string, Handler>;

// A started attempt, shared between the session's thread and the one that runs it.
struct Job {
  explicit Job(DispatchedTask task) : dispatched(std::move(task)) {}
  DispatchedTask dispatched;
  std::atomic<StopReason> stop{StopReason::none};
};

// Not thread-safe: for the session's thread.
class HandlerPool {
 public:
  HandlerPool(std::uint32_t slots, Handlers handlers);
  // Ends the threads. One that is inside a handler is left behind, with all it can touch.
  ~HandlerPool();
  HandlerPool(const HandlerPool&) = delete;
  HandlerPool& operator=(const HandlerPool&) = delete;

  // False when the process has not enough descriptors for the slots; nothing may be started then.
  bool ok() const;
  // Runs these in their order. More than there are slots wait for one.
  void start(std::vector<DispatchedTask> tasks);
  // Tells a running attempt to end; one that waits for a thread is not run. Unknown leases and
  // weaker reasons than the one given before are ignored.
  void stop(const HeldLease& lease, StopReason reason);
  void stop_all(StopReason reason);
  // What has ended and what handlers asked for since the last call. Every started task ends once.
  struct Reported {
    std::vector<Completion> completions;
    std::vector<Extension> extensions;
  };
  Reported take_reported();
  // Readable when take_reported has something.
  int descriptor() const;
  // Started and not yet taken.
  std::size_t unfinished() const { return jobs_.size(); }
  void set_result_bytes_max(ByteCount most);

 private:
  friend class HandlerContext;
  struct Slot {
    host::EventDescriptor event;  // raised while the job should end
    bool raised = false;          // under the mutex, as what follows
    Job* job = nullptr;           // inside a handler
  };
  // All that a thread touches; a thread left behind keeps it alive.
  struct Shared {
    explicit Shared(std::uint32_t slot_count, Handlers given)
        : handlers(std::move(given)), slots(slot_count) {}
    const Handlers handlers;
    std::deque<Slot> slots;
    std::atomic<std::uint64_t> result_bytes_max{PeerLimits().result_bytes_max.value};
    host::EventDescriptor reported_event;
    std::mutex mutex;
    std::condition_variable work;
    std::deque<std::shared_ptr<Job>> waiting;
    std::size_t idle = 0;
    bool closing = false;
    Reported reported;
    bool signalled = false;  // the event is raised and not yet cleared
  };
  static void serve(const std::shared_ptr<Shared>& shared, Slot& slot);
  static void signal(Shared& shared);
  static Completion run(Shared& shared, const Slot& slot, const Job& job);

  std::shared_ptr<Shared> shared_;
  std::vector<std::thread> threads_;
  FlatMap<HeldLease, std::shared_ptr<Job>, LeaseHash> jobs_;
};

}  // namespace millrace::worker
