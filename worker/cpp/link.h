// The worker's bond with its broker as timers and numbers: when to say hello (again), when to give
// a connection up, when to beat. Pure: no socket, no clock.
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/messages.h"
#include "common/base/random.h"

namespace millrace::worker {

struct LinkSettings {
  Duration hello_timeout = Duration::seconds(1);         // a Hello without a Welcome is repeated
  Duration backoff_first = Duration::milliseconds(100);  // of repeated hellos and reconnects,
  Duration backoff_most = Duration::seconds(1);          // doubling, with full jitter
};

// Not thread-safe.
class Link {
 public:
  Link(const LinkSettings& settings, Random random) : settings_(settings), random_(random) {}

  // What to do now.
  enum class Step { nothing, say_hello, reconnect_and_say_hello };
  // Opens, repeats or restores the session where it is time to. After a `say_hello` the next Hello
  // must carry hello_number().
  Step step(Time now);

  // A Welcome echoes the newest Hello exactly if its number is this.
  std::uint64_t hello_number() const { return hello_number_; }
  // True between the newest Welcome and the loss of that session.
  bool open() const { return open_; }
  void welcome(const WorkerWelcome& welcome, Time now);

  void hear_message(Time now);
  // Learns of a new epoch, by which the session ends and the next step says hello.
  void hear_pulse(const Pulse& pulse, Time now);
  // The broker does not know this session. Says hello at once, unless a Hello is under way already.
  void session_unknown(Time now);
  // The broker leaves or refuses a Hello for now: says hello after `wait` and a jittered backoff.
  void retry_later(Duration wait, Time now);
  // The transport lost the connection, or nothing sent on it is answered.
  void connection_lost(Time now);

  // The number of the beat that is due now, if one is.
  std::optional<std::uint64_t> take_beat(Time now);
  SessionNonce nonce() const { return nonce_; }

  Time next_deadline() const;

 private:
  Duration next_backoff();
  void close_session(Time next_hello);

  LinkSettings settings_;
  Random random_;
  LivenessSettings liveness_;
  bool open_ = false;
  std::uint64_t hello_number_ = 0;
  Time hello_due_;          // when not open
  Time quiet_since_;        // nothing heard at all (open), or on the DEALER (not open)
  bool reconnect_ = false;  // the next Hello goes on a new socket
  Duration backoff_;
  Epoch epoch_;  // the newest heard of; none before the first Welcome
  SessionNonce nonce_;
  std::uint64_t beat_number_ = 0;
  Time beat_due_ = Time::never();
};

}  // namespace millrace::worker
