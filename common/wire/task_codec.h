// The task as a FlatBuffer (schemas/task.fbs): written once by the client, read by the broker (its
// few deciding fields) and by the worker (headers and payload). Pure functions; thread-safe.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/base/messages.h"

namespace millrace::wire {

// The ranges of a task that are not configurable; PeerLimits has the others.
inline constexpr std::size_t kHeadersMost = 256;
inline constexpr std::size_t kHeaderKeyBytesMost = 128;
inline constexpr Duration kTimeoutLeast = Duration::milliseconds(100);
inline constexpr Duration kTaskDurationMost = Duration::days(3'650);
inline constexpr Duration kBackoffMost = Duration::days(1);
// 2200-01-01T00:00:00Z, far enough from the end of 64-bit nanoseconds to add any duration.
inline constexpr Time kNotBeforeLatest = Time::since_epoch(Duration::seconds(7'258'118'400));

// A task as its author describes it. Zero or negative means "default" exactly as in TaskSpec.
struct TaskDescription {
  TaskId id;
  std::string queue;
  SharedBytes payload;
  std::vector<std::pair<std::string, std::string>> headers;  // order kept
  std::uint8_t priority = kPriorityDefault;
  std::uint16_t max_attempts = kAttemptsDefault;
  Duration delay;
  Time not_before;
  Duration ttl;
  Duration timeout;
  Duration retention = Duration::nanoseconds(-1);
  Backoff backoff;
};

// Checks every rule a broker would check. Errors: invalid, too_large, naming the field.
Status check_task(const TaskDescription& task, const PeerLimits& limits);

// The TaskSpec value with its FlatBuffer in `bytes`. Requires check_task to be ok.
TaskSpec encode_task(const TaskDescription& task);

// Verifies, validates and reads what the broker decides on. Errors: invalid, too_large.
Result<TaskSpec> decode_task_spec(const SharedBytes& bytes, const PeerLimits& limits);

// Verifies and reads everything; payload is a slice of `bytes`. Errors: invalid, too_large.
Result<TaskDescription> decode_task(const SharedBytes& bytes, const PeerLimits& limits);

// True for 1 to limits.queue_name_bytes_max bytes of [A-Za-z0-9._:/-].
bool is_queue_name(std::string_view name, const PeerLimits& limits);

// The hash by which the broker tells a resubmission from a conflict: XXH3 over queue, priority,
// max_attempts, delay, not_before, ttl, timeout, retention, backoff, headers and payload.
std::uint64_t content_hash(const TaskDescription& task);

}  // namespace millrace::wire
