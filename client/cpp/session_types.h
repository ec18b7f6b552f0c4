// What goes into a client session and what comes out of it, as plain values.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/base/messages.h"

namespace millrace::client {

// The tasks of one call; abandoned together. Chosen by the caller, from 1.
using SubmitGroup = Number<struct SubmitGroupTag>;

struct SessionSettings {
  ClientId client;                // random; never nil
  std::uint64_t random_seed = 0;  // of the jitter
  PeerLimits limits;              // until the broker announces its own

  Duration resend_after = Duration::seconds(2);  // doubles for each further try, four times at most
  Duration ping_interval = Duration::seconds(1);           // while anything is outstanding
  Duration silence_max = Duration::seconds(3);             // then the connection is made anew
  Duration backoff_initial = Duration::milliseconds(100);  // full jitter, doubling
  Duration backoff_max = Duration::seconds(1);

  // Ended tasks are told once. Those watched are asked for again when no end was heard for
  // `watch_again_after`, and each of them after `watch_again_at_last` whatever else was heard.
  Duration watch_again_after = Duration::seconds(2);
  Duration watch_again_at_last = Duration::seconds(30);
  std::uint32_t watches_in_flight_max = 10;  // unanswered Watch messages

  std::uint32_t in_flight_tasks_max = 10'000;  // submitted and not answered
  ByteCount in_flight_bytes_max = ByteCount::mebibytes(32);
  std::uint32_t batch_items = 1'000;  // in one message; the broker's limit holds as well
  ByteCount batch_bytes = ByteCount::mebibytes(4);  // a larger task travels alone
};

// One task to submit. After `give_up` it is reported as SubmitUnanswered.
struct Submission {
  TaskSpec spec;
  SubmitGroup group;
  Time give_up = Time::never();
};

// ---- events -------------------------------------------------------------------------------------

struct Connected {
  ClientWelcome welcome;
};
struct Disconnected {
  std::string cause;
};
// The broker does not want this client (an unknown protocol version, say). Tried again all the
// same.
struct HelloRefused {
  Refused refused;
};
// Final. `duplicate` is told only for a task that this session did not submit before.
struct SubmitResult {
  SubmitGroup group;
  TaskId id;
  SubmitStatus status = SubmitStatus::accepted;
  std::string message;
};
// Not answered until `give_up`: done or not done is unknown.
struct SubmitUnanswered {
  SubmitGroup group;
  TaskId id;
};
// The broker does not know a watched task: never accepted, or pruned.
struct UnknownTask {
  TaskId id;
};
// The answer to `request`; a Refused is final. For a request of none: a message of ours that the
// broker could not read.
struct Reply {
  RequestId request;
  ClientReply reply;
};
struct RequestUnanswered {
  RequestId request;
};

// A FinishedTask may come before the SubmitResult of the same task.
using SessionEvent =
    std::variant<Connected, Disconnected, HelloRefused, SubmitResult, SubmitUnanswered,
                 FinishedTask, UnknownTask, Reply, RequestUnanswered>;

// What the shell has to do, in this order: make the connection anew when `reconnect`, dropping what
// was not sent yet; send; tell the events.
struct Actions {
  bool reconnect = false;
  std::vector<ClientMessage> sends;
  std::vector<SessionEvent> events;

  void clear() {
    reconnect = false;
    sends.clear();
    events.clear();
  }
};

// Gives each message of a session a number of its own.
class RequestCounter {
 public:
  RequestId next() { return last_ = last_.next(); }

 private:
  RequestId last_;
};

// Uniform in [0, min(initial * 2^round, max)]: full jitter, so that clients spread after an outage.
inline Duration full_jitter(Duration initial, Duration max, std::uint32_t round, Random& random) {
  Duration ceiling = initial;
  for (std::uint32_t i = 0; i < round && ceiling < max; ++i) ceiling = ceiling * 2;
  if (ceiling > max) ceiling = max;
  return Duration::nanoseconds(random.between(0, ceiling.in_nanoseconds()));
}

// How long to wait for the answer to the `sends`-th sending of one message.
inline Duration resend_wait(Duration resend_after, std::uint32_t sends) {
  return resend_after * (std::int64_t{1} << (sends < 3 ? (sends == 0 ? 0 : sends - 1) : 2));
}

}  // namespace millrace::client
