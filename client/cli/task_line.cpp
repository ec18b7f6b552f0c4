#include "client/cli/task_line.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "client/cli/base64.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::json;
using Problem = std::optional<LineProblem>;
using Task = wire::TaskDescription;

Problem problem(std::string message) {
  return LineProblem{0, std::move(message)};
}

Problem must_be(const std::string& key, const Json& value, const std::string& allowed) {
  return problem("'" + key + "' is " + show(value) + "; it must be " + allowed);
}

Problem read_integer(const std::string& key, const Json& value, std::int64_t low, std::int64_t high,
                     std::int64_t& number) {
  const std::string allowed = std::to_string(low) + " to " + std::to_string(high);
  if (!value.is_number_integer()) return must_be(key, value, "a whole number, " + allowed);
  const bool too_big =
      value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(high);
  if (too_big) return must_be(key, value, allowed);
  number = value.get<std::int64_t>();
  if (number < low || number > high) return must_be(key, value, allowed);
  return std::nullopt;
}

Problem read_duration(const std::string& key, const Json& value, Duration& duration) {
  if (!value.is_string()) return must_be(key, value, "a duration in quotes, such as \"10s\"");
  const Result<Duration> parsed = parse_duration(value.get_ref<const std::string&>());
  if (!parsed)
    return must_be(key, value, "a duration such as \"250ms\", \"10s\", \"5m\" or \"2h\"");
  if (*parsed < Duration()) return must_be(key, value, "0 or more");
  duration = *parsed;
  return std::nullopt;
}

Problem read_id(const std::string& key, const Json& value, Task& task) {
  if (value.is_string()) {
    const std::optional<TaskId> id = parse_id<TaskId>(value.get_ref<const std::string&>());
    if (id.has_value()) {
      task.id = *id;
      return std::nullopt;
    }
  }
  return must_be(key, value, "a UUID such as \"0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f\"");
}

Problem read_payload(const std::string& key, const Json& value, Task& task) {
  if (!value.is_string()) {
    return must_be(key, value, "a string (quote it, or give 'payload_base64')");
  }
  task.payload = SharedBytes::copy_of(value.get_ref<const std::string&>());
  return std::nullopt;
}

Problem read_payload_base64(const std::string& key, const Json& value, Task& task) {
  if (value.is_string()) {
    auto bytes = decode_base64(value.get_ref<const std::string&>());
    if (bytes.has_value()) {
      task.payload = SharedBytes::adopt(std::move(*bytes));
      return std::nullopt;
    }
  }
  return must_be(key, value, "a string of base64 with its padding (RFC 4648)");
}

Problem read_priority(const std::string& key, const Json& value, Task& task) {
  std::int64_t number = 0;
  Problem found = read_integer(key, value, 0, kPriorityHighest, number);
  if (!found) task.priority = static_cast<std::uint8_t>(number);
  return found;
}

Problem read_max_attempts(const std::string& key, const Json& value, Task& task) {
  std::int64_t number = 0;
  Problem found = read_integer(key, value, 1, kAttemptsMost, number);
  if (!found) task.max_attempts = static_cast<std::uint16_t>(number);
  return found;
}

Problem read_not_before(const std::string& key, const Json& value, Task& task) {
  if (value.is_string()) {
    const Result<Time> time = parse_rfc3339(value.get_ref<const std::string&>());
    if (time) {
      task.not_before = *time;
      return std::nullopt;
    }
  }
  return must_be(key, value, "a time such as \"2026-03-01T12:30:00Z\"");
}

Problem read_backoff(const std::string& key, const Json& value, Task& task) {
  if (value.is_string()) {
    Problem found = read_duration(key, value, task.backoff.initial);
    task.backoff.max = std::max(task.backoff.max, task.backoff.initial);
    return found;
  }
  if (!value.is_object()) {
    return must_be(key, value, "a duration or {\"initial\": \"1s\", \"max\": \"5m\"}");
  }
  bool max_given = false;
  for (const auto& [part, part_value] : value.items()) {
    Problem found;
    if (part == "initial") {
      found = read_duration("backoff.initial", part_value, task.backoff.initial);
    } else if (part == "max") {
      max_given = true;
      found = read_duration("backoff.max", part_value, task.backoff.max);
    } else {
      found = problem("'backoff' has the unknown key " + show(Json(part)) +
                      "; it takes 'initial' and 'max'");
    }
    if (found) return found;
  }
  if (!max_given) task.backoff.max = std::max(task.backoff.max, task.backoff.initial);
  return std::nullopt;
}

// The line's headers are set over the defaults, key by key.
Problem read_headers(const std::string& key, const Json& value, Task& task) {
  if (!value.is_object()) return must_be(key, value, "an object of strings");
  for (const auto& [name, text] : value.items()) {
    if (!text.is_string()) return must_be("headers." + name, text, "a string");
    const auto same = [&header = name](const auto& entry) { return entry.first == header; };
    const auto found = std::find_if(task.headers.begin(), task.headers.end(), same);
    if (found == task.headers.end()) {
      task.headers.emplace_back(name, text.get<std::string>());
    } else {
      found->second = text.get<std::string>();
    }
  }
  return std::nullopt;
}

template <Duration Task::*kMember>
Problem read_member(const std::string& key, const Json& value, Task& task) {
  return read_duration(key, value, task.*kMember);
}

struct Reader {
  std::string_view key;
  Problem (*read)(const std::string& key, const Json& value, Task& task);
};

constexpr std::array<Reader, 12> kReaders = {{{"payload", read_payload},
                                              {"payload_base64", read_payload_base64},
                                              {"id", read_id},
                                              {"priority", read_priority},
                                              {"delay", read_member<&Task::delay>},
                                              {"not_before", read_not_before},
                                              {"ttl", read_member<&Task::ttl>},
                                              {"timeout", read_member<&Task::timeout>},
                                              {"max_attempts", read_max_attempts},
                                              {"backoff", read_backoff},
                                              {"headers", read_headers},
                                              {"retention", read_member<&Task::retention>}}};

std::string known_keys() {
  std::string text;
  for (const Reader& reader : kReaders) {
    if (!text.empty()) text += ", ";
    text += reader.key;
  }
  return text;
}

}  // namespace

std::optional<LineProblem> check_task_line(const Task& task, const PeerLimits& limits) {
  Task checked = task;
  if (checked.id.is_nil()) checked.id.bytes[0] = 1;  // drawn later
  const Status status = wire::check_task(checked, limits);
  if (status) return std::nullopt;
  return problem(status.error().message);
}

std::optional<LineProblem> parse_task_line(std::string_view line, const PeerLimits& limits,
                                           Task& task) {
  Json object;
  if (Problem found = parse_strict_json(line, object)) return found;
  if (!object.is_object()) {
    return problem("the line is " + show(object) +
                   "; it must be an object such as {\"payload\": \"text\"}");
  }
  for (const auto& [key, value] : object.items()) {
    const auto same = [&name = key](const Reader& reader) { return reader.key == name; };
    const auto* const reader = std::find_if(kReaders.begin(), kReaders.end(), same);
    if (reader == kReaders.end()) {
      return problem("unknown key " + show(Json(key)) + "; known are " + known_keys());
    }
    if (Problem found = reader->read(key, value, task)) return found;
  }
  const bool plain = object.contains("payload");
  const bool encoded = object.contains("payload_base64");
  if (plain && encoded) return problem("give either 'payload' or 'payload_base64', not both");
  if (!plain && !encoded) return problem("'payload' (or 'payload_base64') is missing");
  return check_task_line(task, limits);
}

}  // namespace millrace::cli
