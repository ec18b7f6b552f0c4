// What workers say, and what the broker answers them.
#include "tests/golden/sample.h"
#include "tests/golden/sample_values.h"

namespace millrace::golden {
namespace {

WorkerId worker() {
  return id_of<WorkerId>("8899aabb-ccdd-eeff-0011-223344556677");
}

std::vector<HeldLease> some_leases() {
  return {{first_task(), Fence(1)},
          {second_task(), Fence(kMost64)},
          {highest_task(), Fence(1ULL << 53)}};
}

Complete every_outcome() {
  Complete complete;
  complete.items = {
      {first_task(), Fence(1), Outcome::succeeded, "", bytes_of(3), Duration::milliseconds(12)},
      {second_task(), Fence(kMost64), Outcome::failed, "no such picture", {}, Duration()},
      {highest_task(), Fence(3), Outcome::failed_for_good, "not a picture", {}, kLongest},
      {lowest_task(),
       Fence(4),
       Outcome::timed_out,
       "timed out after 30s",
       {},
       Duration::seconds(30)},
      {first_task(),
       Fence(5),
       Outcome::crashed,
       "\u00fcber signal 11",
       {},
       Duration::nanoseconds(1)},
      {first_task(), Fence(6), Outcome::cancelled, "", {}, Duration()},
      {first_task(), Fence(7), Outcome::released, "", {}, Duration()},
      {first_task(), Fence(8), Outcome::succeeded, "", bytes_of(17), Duration::seconds(1)},
      {first_task(), Fence(9), Outcome::succeeded, "", {}, Duration::seconds(1)}};
  complete.credit = 10'000;
  return complete;
}

DispatchedTask leased(const TaskId& id, const std::string& queue, std::uint64_t fence,
                      std::size_t payload_bytes) {
  wire::TaskDescription description;
  description.id = id;
  description.queue = queue;
  description.payload = bytes_of(payload_bytes);
  DispatchedTask task;
  task.task = id;
  task.fence = Fence(fence);
  task.attempt = 2;
  task.max_attempts = 3;
  task.timeout = Duration::minutes(5);
  task.queue = queue;
  task.spec = wire::encode_task(description).bytes;
  return task;
}

WorkerHello full_hello() {
  WorkerHello hello;
  hello.hello_number = kMost64;
  hello.worker = worker();
  hello.name = "resizer \u6c34 1";
  hello.queues = {"resize", "Video/encode.hd_4:k-1", std::string(128, 'q')};
  hello.slots = 16;
  hello.credit = 10'000;
  hello.version = "2.0.1-rc3";
  hello.protocol_version = kMost16;
  hello.holding = some_leases();
  return hello;
}

}  // namespace

std::vector<Sample> worker_message_samples() {
  const auto say = [](WorkerMessage message) { return Value(std::move(message)); };
  return {
      {"worker_hello", "every field; three leases are held", say(full_hello())},
      {"worker_hello_least", "one queue, one slot, nothing held, no version",
       say(WorkerHello{1, worker(), "w", {"q"}, 1, 1, "", 1, {}})},
      {"complete", "every outcome; empty results and errors between others", say(every_outcome())},
      {"complete_one", "one result, which is the whole bundle",
       say(Complete{
           {{first_task(), Fence(1), Outcome::succeeded, "", bytes_of(1'021), Duration()}}, 1, 0})},
      {"complete_credit", "no items: a new credit, and the answer to a Recall",
       say(Complete{{}, 0, kMost64})},
      {"extend", "the task's own timeout, and another one with progress",
       say(Extend{{{first_task(), Fence(1), Duration(), 0},
                   {second_task(), Fence(kMost64), Duration::minutes(5), 100}}})},
      {"worker_goodbye", "a last word", say(WorkerGoodbye{"drained"})},
      {"worker_goodbye_silent", "none", say(WorkerGoodbye{""})},
  };
}

std::vector<Sample> worker_reply_samples() {
  const auto say = [](WorkerReply message) { return Value(std::move(message)); };
  const LivenessSettings liveness{Duration::milliseconds(1), kLongest};
  return {
      {"worker_welcome", "every limit differs from its default; two leases are stale",
       say(WorkerWelcome{kMost64,
                         SessionNonce(kMost64),
                         Epoch(kMost64),
                         some_endpoints(),
                         some_limits(),
                         liveness,
                         {{first_task(), Fence(1)}, {second_task(), Fence(2)}},
                         "0.1.0"})},
      {"worker_welcome_least", "the default limits and cadence",
       say(WorkerWelcome{
           1, SessionNonce(1), Epoch(1), {5555, 5556, 5557, 5558, 0}, {}, {}, {}, ""})},
      {"dispatch", "three tasks of two queues; no spec but the last ends on a multiple of 8",
       say(Dispatch{{leased(first_task(), "resize", 1, 5),
                     leased(second_task(), "encode", kMost64, 0),
                     leased(highest_task(), "resize", 1ULL << 53, 64)}})},
      {"dispatch_empty", "no tasks", say(Dispatch{})},
      {"completed", "the second and the third are stale",
       say(Completed{{{first_task(), Fence(1), true},
                      {second_task(), Fence(kMost64), false},
                      {highest_task(), Fence(3), false}}})},
      {"completed_all", "none is stale", say(Completed{{{first_task(), Fence(1), true}}})},
      {"stop_tasks", "every cause",
       say(StopTasks{{{first_task(), Fence(1), StopCause::cancelled},
                      {second_task(), Fence(kMost64), StopCause::stale_lease},
                      {highest_task(), Fence(3), StopCause::timed_out}}})},
      {"recall", "three leases", say(Recall{kMost64, some_leases()})},
      {"drain", "a table without fields", say(Drain{})},
      {"refused_session", "say hello",
       say(Refused{{}, ErrorCode::unknown_session, "say hello", {}})},
      {"refused_busy", "again after a while",
       say(Refused{{}, ErrorCode::busy, "too many workers", Duration::seconds(1)})},
      {"broker_goodbye_worker", "to a worker", say(BrokerGoodbye{"the broker stops"})},
  };
}

}  // namespace millrace::golden
