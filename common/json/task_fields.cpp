#include "common/json/task_fields.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "common/json/fields.h"

namespace millrace::json {
namespace {

using Json = nlohmann::json;
using Task = wire::TaskDescription;
using Found = std::optional<Problem>;

Problem problem(std::string message) {
  return Problem{0, std::move(message)};
}

Found read_queue(const std::string& key, const Json& value, Task& task) {
  if (!value.is_string()) return must_be(key, value, "the name of a queue");
  task.queue = value.get<std::string>();
  return std::nullopt;
}

Found read_id(const std::string& key, const Json& value, Task& task) {
  return read_task_id(key, value, task.id);
}

Found read_payload(const std::string& key, const Json& value, Task& task) {
  return read_text(key, value, task.payload);
}

Found read_payload_base64(const std::string& key, const Json& value, Task& task) {
  return read_base64(key, value, task.payload);
}

Found read_priority(const std::string& key, const Json& value, Task& task) {
  std::int64_t number = 0;
  Found found = read_integer(key, value, 0, kPriorityHighest, number);
  if (!found) task.priority = static_cast<std::uint8_t>(number);
  return found;
}

Found read_max_attempts(const std::string& key, const Json& value, Task& task) {
  std::int64_t number = 0;
  Found found = read_integer(key, value, 1, kAttemptsMost, number);
  if (!found) task.max_attempts = static_cast<std::uint16_t>(number);
  return found;
}

Found read_not_before(const std::string& key, const Json& value, Task& task) {
  if (value.is_string()) {
    const Result<Time> time = parse_rfc3339(value.get_ref<const std::string&>());
    if (time) {
      task.not_before = *time;
      return std::nullopt;
    }
  }
  return must_be(key, value, "a time such as \"2026-03-01T12:30:00Z\"");
}

Found read_backoff(const std::string& key, const Json& value, Task& task) {
  if (value.is_string()) {
    Found found = read_duration(key, value, task.backoff.initial);
    task.backoff.max = std::max(task.backoff.max, task.backoff.initial);
    return found;
  }
  if (!value.is_object()) {
    return must_be(key, value, "a duration or {\"initial\": \"1s\", \"max\": \"5m\"}");
  }
  bool max_given = false;
  for (const auto& [part, part_value] : value.items()) {
    Found found;
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
Found read_headers(const std::string& key, const Json& value, Task& task) {
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
Found read_member(const std::string& key, const Json& value, Task& task) {
  return read_duration(key, value, task.*kMember);
}

struct Reader {
  std::string_view key;
  Found (*read)(const std::string& key, const Json& value, Task& task);
};

constexpr std::array<Reader, 13> kReaders = {{{"queue", read_queue},
                                              {"payload", read_payload},
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

// Where the queue is told elsewhere, its key is as unknown as any other.
auto first_reader(QueueKey queue_key) {
  return kReaders.begin() + (queue_key == QueueKey::required ? 0 : 1);
}

std::string known_keys(QueueKey queue_key) {
  std::string text;
  for (auto reader = first_reader(queue_key); reader != kReaders.end(); ++reader) {
    if (!text.empty()) text += ", ";
    text += reader->key;
  }
  return text;
}

Found check_keys(const Json& object, QueueKey queue_key) {
  const bool plain = object.contains("payload");
  const bool encoded = object.contains("payload_base64");
  if (plain && encoded) return problem("give either 'payload' or 'payload_base64', not both");
  if (!plain && !encoded) return problem("'payload' (or 'payload_base64') is missing");
  if (queue_key == QueueKey::required && !object.contains("queue")) {
    return problem("'queue' is missing");
  }
  return std::nullopt;
}

}  // namespace

Found check_task(const Task& task, const PeerLimits& limits) {
  Task checked = task;
  if (checked.id.is_nil()) checked.id.bytes[0] = 1;  // drawn later
  const Status status = wire::check_task(checked, limits);
  if (status) return std::nullopt;
  return problem(status.error().message);
}

Found read_task(const Json& value, std::string_view what, QueueKey queue_key,
                const PeerLimits& limits, Task& task) {
  if (!value.is_object()) {
    return problem(std::string(what) + " is " + show(value) +
                   "; it must be an object such as {\"payload\": \"text\"}");
  }
  for (const auto& [key, member] : value.items()) {
    const auto same = [&name = key](const Reader& reader) { return reader.key == name; };
    const auto* const reader = std::find_if(first_reader(queue_key), kReaders.end(), same);
    if (reader == kReaders.end()) {
      return problem("unknown key " + show(Json(key)) + "; known are " + known_keys(queue_key));
    }
    if (Found found = reader->read(key, member, task)) return found;
  }
  if (Found found = check_keys(value, queue_key)) return found;
  return json::check_task(task, limits);
}

Found read_task_line(std::string_view line, QueueKey queue_key, const PeerLimits& limits,
                     Task& task) {
  Json object;
  if (Found found = parse_strict(line, object)) return found;
  return read_task(object, "the line", queue_key, limits, task);
}

}  // namespace millrace::json
