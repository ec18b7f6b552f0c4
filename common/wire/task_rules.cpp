#include "common/wire/task_rules.h"

#include <string>

#include "common/wire/task_codec.h"
#include "common/wire/utf8.h"

namespace millrace::wire {
namespace {

Error invalid(std::string message) {
  return {ErrorCode::invalid, std::move(message)};
}
Error too_large(std::string message) {
  return {ErrorCode::too_large, std::move(message)};
}

Status check_duration(const char* field, Duration value, Duration most) {
  if (value >= Duration() && value <= most) return Done{};
  return invalid(std::string(field) + " is " + to_text(value) + "; it must be 0 to " +
                 to_text(most));
}

Status check_sizes(const TaskFields& task, const PeerLimits& limits) {
  if (task.payload_bytes > limits.payload_bytes_max.value) {
    return too_large("payload is " + std::to_string(task.payload_bytes) + " bytes; at most " +
                     std::to_string(limits.payload_bytes_max.value) +
                     " are allowed, so store it elsewhere and send a reference");
  }
  if (task.headers > kHeadersMost) {
    return too_large("headers are " + std::to_string(task.headers) + "; at most " +
                     std::to_string(kHeadersMost) + " are allowed");
  }
  if (task.headers_bytes > limits.headers_bytes_max.value) {
    return too_large("headers are " + std::to_string(task.headers_bytes) + " bytes; at most " +
                     std::to_string(limits.headers_bytes_max.value) + " are allowed");
  }
  return Done{};
}

Status check_times(const TaskFields& task) {
  struct Rule {
    const char* field;
    Duration value;
    Duration most;
  };
  const Rule rules[] = {{"delay", task.delay, kTaskDurationMost},
                        {"ttl", task.ttl, kTaskDurationMost},
                        {"timeout", task.timeout, kTaskDurationMost},
                        {"backoff max", task.backoff.max, kBackoffMost},
                        {"backoff initial", task.backoff.initial, task.backoff.max}};
  for (const Rule& rule : rules) {
    const Status status = check_duration(rule.field, rule.value, rule.most);
    if (!status.ok()) return status;
  }
  if (task.timeout > Duration() && task.timeout < kTimeoutLeast) {
    return invalid("timeout is " + to_text(task.timeout) +
                   "; it must be 0 (the default) or at least " + to_text(kTimeoutLeast));
  }
  if (task.retention > kTaskDurationMost) {
    return invalid("retention is " + to_text(task.retention) + "; it must be at most " +
                   to_text(kTaskDurationMost));
  }
  if (task.not_before < Time() || task.not_before > kNotBeforeLatest) {
    return invalid("not_before is out of range; it must be between 1970 and " +
                   to_rfc3339(kNotBeforeLatest));
  }
  return Done{};
}

}  // namespace

Status check_task_fields(const TaskFields& task, const PeerLimits& limits) {
  if (task.id.is_nil()) return invalid("id is missing or nil; give every task a UUID of its own");
  if (!is_queue_name(task.queue, limits)) {
    return invalid("queue must be 1 to " + std::to_string(limits.queue_name_bytes_max) +
                   " characters of A-Z a-z 0-9 . _ : / -");
  }
  if (task.priority > kPriorityHighest) {
    return invalid("priority is " + std::to_string(task.priority) + "; it must be 0 to 9");
  }
  if (task.max_attempts < 1 || task.max_attempts > kAttemptsMost) {
    return invalid("max_attempts is " + std::to_string(task.max_attempts) + "; it must be 1 to " +
                   std::to_string(kAttemptsMost));
  }
  const Status sizes = check_sizes(task, limits);
  return sizes.ok() ? check_times(task) : sizes;
}

Status check_header(std::string_view key, std::string_view value) {
  if (key.empty() || key.size() > kHeaderKeyBytesMost) {
    return invalid("header key is " + std::to_string(key.size()) + " bytes; it must be 1 to " +
                   std::to_string(kHeaderKeyBytesMost));
  }
  if (!is_utf8(key) || has_control_characters(key)) {
    return invalid("header key must be UTF-8 without control characters");
  }
  if (!is_utf8(value) || value.find('\0') != std::string_view::npos) {
    return invalid("header '" + std::string(key) + "' must have a value of UTF-8 without NUL");
  }
  return Done{};
}

bool is_queue_name(std::string_view name, const PeerLimits& limits) {
  if (name.empty() || name.size() > limits.queue_name_bytes_max) return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && std::string_view("._:/-").find(c) == std::string_view::npos) return false;
  }
  return true;
}

}  // namespace millrace::wire
