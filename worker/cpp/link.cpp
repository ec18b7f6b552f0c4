#include "worker/cpp/link.h"

#include <algorithm>

namespace millrace::worker {

Link::Step Link::step(Time now) {
  if (quiet_since_.is_none()) quiet_since_ = now;
  if (open_ && now - quiet_since_ > liveness_.silence_max) {
    close_session(now + next_backoff());
    reconnect_ = true;
  }
  if (open_ || now < hello_due_) return Step::nothing;
  const bool reconnect =
      hello_number_ > 0 && (reconnect_ || now - quiet_since_ > liveness_.silence_max);
  if (reconnect) quiet_since_ = now;
  reconnect_ = false;
  ++hello_number_;
  hello_due_ = now + settings_.hello_timeout + next_backoff();
  return reconnect ? Step::reconnect_and_say_hello : Step::say_hello;
}

void Link::welcome(const WorkerWelcome& welcome, Time now) {
  open_ = true;
  reconnect_ = false;
  backoff_ = Duration();
  epoch_ = welcome.epoch;
  nonce_ = welcome.session;
  liveness_ = welcome.liveness;
  quiet_since_ = now;
  beat_due_ = now;
}

void Link::hear_message(Time now) {
  quiet_since_ = now;
}

void Link::hear_pulse(const Pulse& pulse, Time now) {
  // A pulse proves life only of a session that is open: a DEALER may be dead while pulses flow.
  if (open_) quiet_since_ = now;
  if (epoch_.is_none() || pulse.epoch == epoch_) return;
  epoch_ = pulse.epoch;
  close_session(now);
}

void Link::session_unknown(Time now) {
  // Sent before the Hello that is under way: the Welcome to that one is still to come.
  if (open_) close_session(now);
}

void Link::retry_later(Duration wait, Time now) {
  close_session(now + std::max(wait, Duration()) + next_backoff());
}

void Link::connection_lost(Time now) {
  if (!open_) return;
  close_session(now + next_backoff());
}

std::optional<std::uint64_t> Link::take_beat(Time now) {
  if (nonce_.is_none() || now < beat_due_) return std::nullopt;
  beat_due_ = now + liveness_.beat_interval;
  return ++beat_number_;
}

Time Link::next_deadline() const {
  const Time next =
      open_ ? quiet_since_ + liveness_.silence_max + Duration::nanoseconds(1) : hello_due_;
  return nonce_.is_none() ? next : std::min(next, beat_due_);
}

// Full jitter: uniform between nothing and a bound that doubles.
Duration Link::next_backoff() {
  backoff_ = backoff_ == Duration() ? settings_.backoff_first
                                    : std::min(backoff_ * 2, settings_.backoff_most);
  return Duration::nanoseconds(random_.between(0, backoff_.in_nanoseconds()));
}

void Link::close_session(Time next_hello) {
  open_ = false;
  hello_due_ = next_hello;
}

}  // namespace millrace::worker
