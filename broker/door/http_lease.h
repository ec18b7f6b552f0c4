// One lease asked for over HTTP, from the request to the durable answer of its completion, as a
// pure state machine around a worker's session with one slot. Whoever asks over HTTP is gone
// between two requests; this keeps the lease alive meanwhile, and gives it up when nobody comes
// back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/admin/task_door.h"
#include "worker/cpp/session.h"

namespace millrace::broker {

// Not thread-safe. `now` never runs backwards.
class HttpLease {
 public:
  enum class Phase {
    seeking,    // no task yet
    claiming,   // a task of the broker's time before, not yet confirmed
    held,       // leased; whoever asked must be heard every `lease`
    reporting,  // its end is on the way to the disk
    ended       // see answer(); nothing will happen any more
  };

  struct Identity {
    WorkerId worker;  // of this lease alone
    std::string name;
    std::vector<std::string> queues;
    std::string version;
  };

  // Seeks a task of the identity's queues.
  HttpLease(Identity identity, Duration lease, Random random, Time now);
  // Claims `task`, which was leased before the broker was restarted.
  HttpLease(Identity identity, Duration lease, Random random, DispatchedTask task, Time now);

  Phase phase() const { return phase_; }
  // The task, once there is one.
  const std::optional<DispatchedTask>& task() const { return task_; }
  // How the lease ended; how it stands while held.
  LeaseState answer() const { return answer_; }
  // Why the broker refuses to give anything, if it does.
  const std::optional<Error>& failure() const { return failure_; }

  // ---- what the shell hears ---------------------------------------------------------------------
  void receive(const WorkerReply& reply, Time now);
  void hear_pulse(const Pulse& pulse, Time now);

  // ---- what comes over HTTP ---------------------------------------------------------------------
  // The holder lives. A held lease goes on for `lease`; one to be stopped ends here, and answer()
  // says why.
  void heartbeat(const LeaseUpdate& update, Time now);
  // The holder is through. Ignored unless held.
  void finish(Outcome outcome, SharedBytes result, std::string error, Time now);
  // Nobody waits for the task any more: what has come is handed back as never started.
  void withdraw(Time now);

  // What to do now; ends what is overdue. Empty most of the time.
  worker::Actions tick(Time now);
  Time next_deadline() const;

 private:
  bool tells_of_loss(const WorkerReply& reply) const;
  void absorb(Time now);
  void take(DispatchedTask task, Time now);
  void report(Outcome outcome, SharedBytes result, std::string error, Duration elapsed, Time now);
  void end(LeaseState answer);
  HeldLease lease() const { return {task_->task, task_->fence}; }

  Duration lease_;
  worker::Session session_;
  worker::Actions actions_;  // until the next tick
  Phase phase_;
  std::optional<DispatchedTask> task_;
  LeaseState answer_ = LeaseState::unknown;
  std::optional<Error> failure_;
  Time granted_;
  Time lapses_ = Time::never();
};

}  // namespace millrace::broker
