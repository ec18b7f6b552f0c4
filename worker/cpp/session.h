// The worker's side of the protocol as a pure state machine: messages and a time in, actions out.
// No I/O, no clock, no thread, so that a simulator drives the very code that runs in production.
// The meaning of the messages is in docs/protocol.md.
//
// The shell's loop: wait until next_deadline() or an input; hand over every input (receive,
// hear_pulse, finish, extend, drain); call tick once; do the actions. Starts and stops come with
// the input that causes them; messages gather and leave in tick, so that one Complete carries all
// that ended since.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/messages.h"
#include "common/base/random.h"
#include "worker/cpp/attempts.h"
#include "worker/cpp/link.h"
#include "worker/cpp/prefetch.h"
#include "worker/cpp/reports.h"

namespace millrace::worker {

struct SessionSettings {
  WorkerId worker;
  std::string name;
  std::vector<std::string> queues;
  std::uint32_t slots = 1;             // tasks that run at once
  std::uint32_t prefetch_max = 1'000;  // tasks wanted beyond the slots, at most
  std::string version;
  Duration hello_timeout = Duration::seconds(1);
  Duration resend_after = Duration::seconds(2);  // a completion without its Completed is repeated
  Duration waiting_max = Duration::seconds(1);   // an unstarted task goes back after this
  Duration late_start =
      Duration::milliseconds(50);              // a start this late re-arms the broker's timeout
  Duration settle_max = Duration::seconds(5);  // a drained worker waits this long for answers
  // Tasks so tiny that the hand-over costs more than the work may be started ahead of free slots:
  // as many as the slots finish in this time. Zero: never more starts than free slots.
  Duration run_ahead;
};

// A session was opened (again).
struct Welcomed {
  Epoch epoch;
  Endpoints endpoints;
  PeerLimits limits;
  std::string broker_version;
};

// What the shell must do: first reconnect, then starts and stops, then the sends and beats in
// order.
struct Actions {
  bool reconnect = false;              // close the DEALER, drop what it has not sent, open another
  std::vector<DispatchedTask> starts;  // run these now
  std::vector<StoppedTask> stops;    // end these running attempts; each is still reported by finish
  std::vector<WorkerMessage> sends;  // on the DEALER; a Hello supersedes what has not left yet
  std::vector<Beat> beats;           // on the PUB
  std::optional<Welcomed> welcomed;  // connect the beat PUB and the pulse SUB where not yet done
  std::string lost;                  // the session just ended, and why; it will be restored
  bool finished = false;             // send what is to be sent, then end
  std::optional<Error> failure;      // end now: the broker refuses this worker for good

  void clear() { *this = Actions(); }
};

// What has ended since the start.
struct SessionTotals {
  std::uint64_t succeeded = 0;
  std::uint64_t unsuccessful = 0;  // failed, timed out, crashed
  std::uint64_t cancelled = 0;
  std::uint64_t released = 0;  // handed back
  std::uint64_t stale = 0;     // finished, but the lease had been given on
};

// Not thread-safe. `now` never runs backwards.
class Session {
 public:
  // Requires slots >= 1.
  Session(SessionSettings settings, Random random);

  // Says the first Hello; the same as the first tick. The shell has a DEALER by then.
  void start(Time now, Actions& actions) { tick(now, actions); }
  // Holds a lease that an earlier process of this worker was given and runs on: the next Hello
  // claims it. Before start().
  void resume(DispatchedTask task, Time now);
  // A verified message from the broker.
  void receive(const WorkerReply& reply, Time now, Actions& actions);
  void hear_pulse(const Pulse& pulse, Time now, Actions& actions);
  // The runner reports the real end of a started attempt, exactly once for each.
  void finish(Completion completion, Time now, Actions& actions);
  // A running handler asks for more time, or reports progress, which re-arms its timeout too but
  // never shortens it. Ignored for attempts that do not run.
  void extend(const Extension& extension, Time now, Actions& actions);
  // The transport noticed a disconnect: a hint that saves waiting for silence.
  void connection_lost(Time now, Actions& actions);
  // Take nothing new, hand back what has not started, finish what runs, then say goodbye.
  void drain(Time now, Actions& actions);
  // Ends now: hands back all that has not ended. The shell must have ended what runs, or end it
  // (`stops` names it) before it sends, because others may start these tasks at once.
  void abandon(Time now, Actions& actions);
  void tick(Time now, Actions& actions);
  // When to call tick at the latest; in the past when there is something to send.
  Time next_deadline() const;

  bool open() const { return link_.open(); }
  std::size_t running() const { return attempts_.running(); }
  std::size_t waiting() const { return attempts_.waiting(); }
  std::size_t unacknowledged() const { return reports_.size(); }
  const SessionTotals& totals() const { return totals_; }

 private:
  void on(const WorkerWelcome& welcome, Time now, Actions& actions);
  void on(const Dispatch& dispatch, Time now, Actions& actions);
  void on(const Completed& completed, Time now, Actions& actions);
  void on(const StopTasks& stop, Time now, Actions& actions);
  void on(const Recall& recall, Time now, Actions& actions);
  void on(const Drain& drain, Time now, Actions& actions);
  void on(const Refused& refused, Time now, Actions& actions);
  void on(const BrokerGoodbye& goodbye, Time now, Actions& actions);

  void start_waiting(Time now, Actions& actions);
  void stop(const StoppedTask& stopped, Actions& actions);
  void report(Completion completion);
  void release(const HeldLease& lease);
  void release_waiting();
  void end_overdue(Time now, Actions& actions);
  void release_long_waiting(Time now);
  void repeat_unanswered(Time now);
  void step_link(Time now, Actions& actions);
  void send_completions(Time now, Actions& actions);
  void send_extensions(Actions& actions);
  void say_hello(Actions& actions);
  void end_drain(Time now, Actions& actions);
  void ask_extension(Attempt& attempt, Duration by, std::uint8_t progress_percent);
  void lose_session(const char* reason, Actions& actions);
  std::vector<HeldLease> holding() const;

  std::uint32_t credit() const;
  bool complete_due() const;

  SessionSettings settings_;
  Link link_;
  Attempts attempts_;
  Reports reports_;
  Prefetch prefetch_;
  PeerLimits limits_;
  std::vector<HeldLease> extending_;    // attempts with an extension to send
  std::vector<std::uint64_t> recalls_;  // to be answered
  std::uint32_t credit_told_ = 0;
  Time heard_;  // the last message on the DEALER
  bool was_open_ = false;
  bool draining_ = false;
  bool ended_ = false;
  Time settle_by_ = Time::never();  // drained: go when this has passed
  SessionTotals totals_;
};

}  // namespace millrace::worker
