// Values for tests of stores, different in every field for every number.
#pragma once

#include <string>
#include <vector>

#include "broker/core/effect.h"
#include "common/base/random.h"

namespace millrace::testing {

// `version` varies what a change of state would vary.
inline broker::TaskRecord make_task(std::uint64_t sequence, std::uint64_t version = 0) {
  Random random(sequence * 1'000'003 + version);
  const auto time = [&random] {
    return Time::since_epoch(Duration::nanoseconds(random.between(0, 1L << 60)));
  };
  const auto duration = [&random] { return Duration::nanoseconds(random.between(-1, 1L << 60)); };
  broker::TaskRecord task;
  task.sequence = TaskSequence(sequence);
  task.id = make_random_id<TaskId>(random);
  task.queue = broker::QueueNumber(static_cast<std::uint32_t>(random.between(1, 1'000)));
  task.state = kAllTaskStates[random.below(kAllTaskStates.size())];
  task.reason = static_cast<Reason>(random.below(8));
  task.priority = static_cast<std::uint8_t>(random.below(kPriorities));
  task.cancel_requested = random.chance(1, 2);
  task.attempts = static_cast<std::uint16_t>(random.below(1'000));
  task.max_attempts = static_cast<std::uint16_t>(random.below(1'000));
  task.attempt_records = static_cast<std::uint16_t>(random.below(1'000));
  task.fence = Fence(random.next());
  task.content_hash = random.next();
  task.accepted = time();
  (task.state == TaskState::delayed ? task.due : task.leased) = time();
  if (is_terminal(task.state))
    task.last_worker = SharedBytes::copy_of("worker-" + std::to_string(sequence));
  task.expires = Time::never();
  task.ended = time();
  task.timeout = duration();
  task.retention = duration();
  task.backoff = Backoff{duration(), duration()};
  task.spec_stored = random.below(2) == 0;
  task.payload_bytes = ByteCount(random.below(1U << 31));
  task.result_bytes = ByteCount(0xffff'ffff);
  return task;
}

inline AttemptRecord make_attempt(std::uint16_t number, std::size_t error_bytes = 20) {
  AttemptRecord attempt;
  attempt.attempt = number;
  attempt.fence = Fence(1'000U + number);
  attempt.reason = Reason::crashed;
  attempt.started = Time::since_epoch(Duration::seconds(number));
  attempt.ended = Time::since_epoch(Duration::seconds(2 * number));
  attempt.worker = "worker-" + std::to_string(number);
  attempt.error = std::string(error_bytes, 'e') + "\xff no UTF-8";
  return attempt;
}

inline SharedBytes make_bytes(std::size_t size, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::uint8_t> bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
  return SharedBytes::adopt(std::move(bytes));
}

inline broker::Totals make_totals(std::uint64_t seed) {
  Random random(seed);
  return broker::Totals{random.next(), random.next(), random.next(), random.next(),
                        random.next(), random.next(), random.next(), random.next(),
                        random.next(), random.next(), random.next()};
}

}  // namespace millrace::testing
