// The client's side of the protocol (docs/protocol.md) without I/O, clock or thread: messages and
// the time go in, messages to send and events come out. A simulator drives it as well as the real
// shell.
//
// What was asked is kept until it is answered, and asked again after silence, after a new
// connection and after a restart of the broker (a new epoch); ids make that safe.
#pragma once

#include <vector>

#include "client/cpp/request_book.h"
#include "client/cpp/session_types.h"
#include "client/cpp/submit_book.h"
#include "client/cpp/watch_book.h"

namespace millrace::client {

// Every input appends to `actions`; perform them before the next input. `now` never goes back.
// Not thread-safe.
class Session {
 public:
  explicit Session(const SessionSettings& settings);

  // The shell has a fresh connection (or is making one). Call once.
  void start(Time now, Actions& actions);
  void receive(ClientReply reply, Time now, Actions& actions);
  void hear_pulse(const Pulse& pulse, Time now, Actions& actions);
  // Call it at next_deadline() at the latest; harmless at any other time.
  void tick(Time now, Actions& actions);
  Time next_deadline() const;
  // The last words. Whatever is open stays unanswered.
  void stop(Actions& actions);

  // Takes the tasks in order; with `watch` their ends are told too. Unbounded: a caller who has
  // many looks at unanswered_submits() first.
  void submit(std::vector<Submission> submissions, bool watch, Time now, Actions& actions);
  // Tells the end of each (once more, if it was told before), or that it is unknown.
  void watch(const std::vector<TaskId>& tasks, Time now, Actions& actions);
  void unwatch(const std::vector<TaskId>& tasks);
  // Any message but ClientHello, Submit, Watch and ClientGoodbye; its request id is replaced by the
  // one returned.
  RequestId request(ClientMessage message, Time give_up, Time now, Actions& actions);
  // Forgets a call's tasks as far as they are not on their way.
  void abandon(SubmitGroup group) { submits_.abandon(group); }
  void abandon(RequestId request) { requests_.abandon(request); }

  bool connected() const { return link_ == Link::connected; }
  Epoch epoch() const { return epoch_; }
  const PeerLimits& limits() const { return limits_; }
  std::size_t unanswered_submits() const { return submits_.size(); }
  std::size_t watched() const { return watches_.size(); }
  bool has_outstanding() const;

 private:
  // stopped: before start and after stop. waiting: until the backoff ends. greeting: hello sent.
  enum class Link { stopped, waiting, greeting, connected };

  void greet(Time now, Actions& actions);
  void lose_connection(const char* cause, Duration wait_at_least, Time now, Actions& actions);
  void note_outstanding(bool had_outstanding, Time now);
  void check_link(Time now, Actions& actions);
  void check_silence(Time now, Actions& actions);
  void send_due(Time now, Actions& actions);
  Time silence_deadline() const;

  void take(ClientWelcome& welcome, Time now, Actions& actions);
  void take(Submitted& submitted, Time now, Actions& actions);
  void take(Watching& watching, Time now, Actions& actions);
  void take(Finished& finished, Time now, Actions& actions);
  void take(Pong& pong, Time now, Actions& actions);
  void take(Refused& refused, Time now, Actions& actions);
  void take(BrokerGoodbye& goodbye, Time now, Actions& actions);
  template <class Answer>  // Cancelled, TaskList, Changed, StatusReport
  void take(Answer& answer, Time now, Actions& actions);
  void settle_watches(std::size_t first_event, Time now, Actions& actions);
  void take_epoch(Epoch epoch, Time now, Actions& actions);

  SessionSettings settings_;
  Random random_;
  PeerLimits limits_;
  RequestCounter counter_;
  SubmitBook submits_;
  WatchBook watches_;
  RequestBook requests_;

  Link link_ = Link::stopped;
  Epoch epoch_;
  RequestId hello_;
  std::uint32_t hellos_ = 0;    // since the connection was made
  std::uint32_t failures_ = 0;  // connections lost in a row
  Time connect_at_;             // waiting
  Time hello_again_;            // greeting
  Time ping_at_;                // connected, something outstanding
  Time last_reply_;             // of this connection
  Time last_heard_;             // a reply or a pulse
};

}  // namespace millrace::client
