// The rules of docs/protocol.md for one task, checked alike by the client before it sends and by
// the broker after it received. Pure functions; thread-safe.
#pragma once

#include <string_view>

#include "common/base/messages.h"

namespace millrace::wire {

// The fields that rules bind, without ownership.
struct TaskFields {
  TaskId id;
  std::string_view queue;
  std::uint64_t payload_bytes = 0;
  std::uint64_t headers = 0;        // how many
  std::uint64_t headers_bytes = 0;  // keys and values together
  std::uint8_t priority = 0;
  std::uint16_t max_attempts = 0;
  Duration delay;
  Time not_before;
  Duration ttl;
  Duration timeout;
  Duration retention;
  Backoff backoff;
};

// Errors: invalid, too_large; the line names the field, its value and what is allowed.
Status check_task_fields(const TaskFields& task, const PeerLimits& limits);

// Of one header. Errors: invalid.
Status check_header(std::string_view key, std::string_view value);

}  // namespace millrace::wire
