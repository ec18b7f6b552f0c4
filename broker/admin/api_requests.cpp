#include "broker/admin/api_requests.h"

#include <algorithm>
#include <array>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>

#include "broker/admin/api_site.h"
#include "broker/admin/http_rules.h"
#include "common/json/fields.h"
#include "common/json/task_fields.h"
#include "common/wire/utf8.h"

namespace millrace::broker {
namespace {

using Json = nlohmann::json;
using Found = std::optional<json::Problem>;

constexpr std::size_t kNameBytesMax = 128;

Error invalid(std::string message) {
  return {ErrorCode::invalid, std::move(message)};
}

Error error_of(const json::Problem& problem) {
  const std::string place =
      problem.column == 0 ? "" : "at byte " + std::to_string(problem.column) + ": ";
  return invalid(place + problem.message);
}

// ---- submit -------------------------------------------------------------------------------------

SubmitEntry entry_of(const Found& problem, wire::TaskDescription task, const std::string& place) {
  if (!problem) return task;
  Error error = error_of(*problem);
  error.message = place + error.message;
  return error;
}

Error too_many(const PeerLimits& limits) {
  return {ErrorCode::too_large, "more than " + std::to_string(limits.batch_items_max) +
                                    " tasks in one request; send several"};
}

Result<SubmitBody> read_lines(std::string_view body, const PeerLimits& limits) {
  SubmitBody submit;
  submit.batch = true;
  std::size_t number = 0;
  while (!body.empty()) {
    ++number;
    const std::size_t end = std::min(body.find('\n'), body.size());
    const std::string_view line = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (submit.entries.size() == limits.batch_items_max) return too_many(limits);
    wire::TaskDescription task;
    const Found found = json::read_task_line(line, json::QueueKey::required, limits, task);
    const std::string place = "line " + std::to_string(number) + ": ";
    submit.entries.push_back(entry_of(found, std::move(task), place));
  }
  if (submit.entries.empty()) return invalid("the body has no line with a task");
  return submit;
}

SubmitEntry read_item(const Json& item, const PeerLimits& limits) {
  wire::TaskDescription task;
  const Found found = json::read_task(item, "the task", json::QueueKey::required, limits, task);
  return entry_of(found, std::move(task), "");
}

// ---- objects ------------------------------------------------------------------------------------

// A member that an object may have: its key and what reads it.
struct Member {
  std::string_view key;
  std::function<Found(const std::string& key, const Json& value)> read;
};

// Reads an object that has no other members than these; the first `needed` of them must be there.
Found read_members(std::string_view body, const std::vector<Member>& members, std::size_t needed) {
  Json object;
  if (Found found = json::parse_strict(body, object)) return found;
  if (!object.is_object()) {
    std::string names;
    for (std::size_t at = 0; at < needed; ++at) {
      names += (at == 0 ? "'" : " and '") + std::string(members[at].key) + "'";
    }
    return json::Problem{
        0, "the body is " + json::show(object) + "; it must be an object with " + names};
  }
  std::string known;
  for (const Member& member : members)
    known += (known.empty() ? "" : ", ") + std::string(member.key);
  for (const auto& [key, value] : object.items()) {
    const auto same = [&name = key](const Member& member) { return member.key == name; };
    const auto member = std::find_if(members.begin(), members.end(), same);
    if (member == members.end()) {
      return json::Problem{0, "unknown key " + json::show(Json(key)) + "; known are " + known};
    }
    if (Found found = member->read(key, value)) return found;
  }
  for (std::size_t at = 0; at < needed; ++at) {
    const std::string key(members[at].key);
    if (!object.contains(key)) return json::Problem{0, "'" + key + "' is missing"};
  }
  return std::nullopt;
}

// Reads an object about a lease.
Found read_object(std::string_view body, std::initializer_list<Member> more, HeldLease& lease) {
  std::vector<Member> members = {
      {"task", [&](const auto& key,
                   const Json& value) { return json::read_task_id(key, value, lease.task); }},
      {"fence", [&](const auto& key, const Json& value) {
         return json::read_fence(key, value, lease.fence);
       }}};
  members.insert(members.end(), more);
  return read_members(body, members, 2);
}

// ---- parameters ---------------------------------------------------------------------------------

std::optional<Error> check_names(std::string_view query, std::span<const std::string_view> known) {
  for (const std::string& name : query_names(query)) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string list;
    for (const std::string_view one : known) list += (list.empty() ? "" : ", ") + std::string(one);
    return invalid("unknown parameter " + json::show(Json(name)) + "; known are " + list);
  }
  return std::nullopt;
}

Result<Duration> duration_parameter(std::string_view query, const char* name, Duration fallback,
                                    Duration least, Duration most) {
  const std::optional<std::string> text = query_parameter(query, name);
  if (!text) return fallback;
  const Result<Duration> parsed = parse_duration(*text);
  if (parsed && *parsed >= least && *parsed <= most) return *parsed;
  return invalid(std::string(name) + " must be a duration such as 10s, from " + to_text(least) +
                 " to " + to_text(most));
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(',');
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool is_name(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !text.empty() && text.size() <= kNameBytesMax && is_utf8(text) &&
         std::none_of(text.begin(), text.end(), is_control);
}

}  // namespace

Result<SubmitBody> read_submit(std::string_view body, bool lines, const PeerLimits& limits) {
  if (lines) return read_lines(body, limits);
  Json document;
  if (const Found found = json::parse_strict(body, document)) return error_of(*found);
  SubmitBody submit;
  submit.batch = document.is_array();
  if (!submit.batch) {
    submit.entries.push_back(read_item(document, limits));
    return submit;
  }
  if (document.empty()) return invalid("the list has no task");
  if (document.size() > limits.batch_items_max) return too_many(limits);
  for (const Json& item : document) submit.entries.push_back(read_item(item, limits));
  return submit;
}

Result<HeartbeatBody> read_heartbeat(std::string_view body) {
  HeartbeatBody heartbeat;
  Duration extend;
  std::int64_t percent = 0;
  const Found found = read_object(body,
                                  {{"extend",
                                    [&](const auto& key, const Json& value) {
                                      heartbeat.update.extend = Duration();
                                      return json::read_duration(key, value, extend);
                                    }},
                                   {"progress_percent",
                                    [&](const auto& key, const Json& value) {
                                      return json::read_integer(key, value, 0, 100, percent);
                                    }}},
                                  heartbeat.lease);
  if (found) return error_of(*found);
  if (extend > wire::kTaskDurationMost) return invalid("'extend' is longer than 3650 days");
  if (heartbeat.update.extend) heartbeat.update.extend = extend;
  heartbeat.update.progress_percent = static_cast<std::uint8_t>(percent);
  return heartbeat;
}

Result<Completion> read_complete(std::string_view body, const PeerLimits& limits) {
  HeldLease lease;
  Completion completion;
  int results = 0;
  const Found found = read_object(body,
                                  {{"result",
                                    [&](const auto& key, const Json& value) {
                                      ++results;
                                      return json::read_text(key, value, completion.result);
                                    }},
                                   {"result_base64",
                                    [&](const auto& key, const Json& value) {
                                      ++results;
                                      return json::read_base64(key, value, completion.result);
                                    }}},
                                  lease);
  if (found) return error_of(*found);
  if (results > 1) return invalid("give either 'result' or 'result_base64', not both");
  if (completion.result.size() > limits.result_bytes_max.value) {
    return Error{ErrorCode::too_large, "the result is over " +
                                           std::to_string(limits.result_bytes_max.value) +
                                           " bytes; store it elsewhere and give where"};
  }
  completion.task = lease.task;
  completion.fence = lease.fence;
  return completion;
}

Result<Completion> read_fail(std::string_view body) {
  HeldLease lease;
  SharedBytes error;
  bool for_good = false;
  bool release = false;
  const Found found = read_object(
      body,
      {{"error",
        [&](const auto& key, const Json& value) {
          if (!value.is_string()) return Found(json::must_be(key, value, "a string"));
          return json::read_text(key, value, error);
        }},
       {"for_good",
        [&](const auto& key, const Json& value) { return json::read_flag(key, value, for_good); }},
       {"release",
        [&](const auto& key, const Json& value) { return json::read_flag(key, value, release); }}},
      lease);
  if (found) return error_of(*found);
  if (for_good && release) return invalid("give either 'for_good' or 'release', not both");
  Completion completion;
  completion.task = lease.task;
  completion.fence = lease.fence;
  completion.outcome = Outcome::failed;
  if (for_good) completion.outcome = Outcome::failed_for_good;
  if (release) completion.outcome = Outcome::released;
  completion.error = error.text();
  return completion;
}

// ---- control ------------------------------------------------------------------------------------

namespace {

// The member `key`, a text that `take` makes something of; what it must be else.
Member word_member(std::string_view key, std::string must_be,
                   std::function<bool(const std::string& text)> take) {
  return {key,
          [must_be = std::move(must_be), take = std::move(take)](const std::string& name,
                                                                 const Json& value) -> Found {
            if (value.is_string() && take(value.get<std::string>())) return std::nullopt;
            return json::must_be(name, value, must_be);
          }};
}

Member queue_member(const PeerLimits& limits, std::string& queue) {
  return word_member("queue", "the name of a queue", [&](const std::string& text) {
    queue = text;
    return wire::is_queue_name(text, limits);
  });
}

Member number_member(std::string_view key, std::int64_t most, std::int64_t& number) {
  return {key, [most, &number](const std::string& name, const Json& value) {
            return json::read_integer(name, value, 0, most, number);
          }};
}

Member time_member(std::string_view key, Time& time) {
  return word_member(key, "a time such as 2026-03-01T12:30:00Z", [&time](const std::string& text) {
    const Result<Time> read = parse_rfc3339(text);
    if (read) time = *read;
    return read.ok();
  });
}

template <class Value>
bool taken(const std::optional<Value>& read, Value& value) {
  if (read) value = *read;
  return read.has_value();
}

std::optional<QueueAction> queue_action_named(const std::string& name) {
  if (name == "pause") return QueueAction::pause;
  if (name == "resume") return QueueAction::resume;
  if (name == "purge") return QueueAction::purge;
  return std::nullopt;
}

std::optional<TaskAction> task_action_named(const std::string& name) {
  if (name == "cancel") return TaskAction::cancel;
  if (name == "requeue") return TaskAction::requeue;
  if (name == "forget") return TaskAction::forget;
  return std::nullopt;
}

}  // namespace

Result<QueueControl> read_queue_control(std::string_view body, const PeerLimits& limits) {
  QueueControl control;
  const Found found = read_members(
      body,
      {queue_member(limits, control.queue), word_member("action", "pause, resume or purge",
                                                        [&](const auto& text) {
                                                          return taken(queue_action_named(text),
                                                                       control.action);
                                                        })},
      2);
  if (found) return error_of(*found);
  return control;
}

Result<std::string> read_worker_drain(std::string_view body) {
  std::string worker;
  const Found found = read_members(
      body,
      {word_member("worker", "the name of a worker",
                   [&](const std::string& text) {
                     worker = text;
                     return is_name(text);
                   }),
       word_member("action", "drain", [](const std::string& text) { return text == "drain"; })},
      2);
  if (found) return error_of(*found);
  return worker;
}

Result<TaskId> read_requeue(std::string_view body) {
  std::optional<TaskId> task;
  const Found found = read_members(body,
                                   {word_member("task", "the id of a task, a UUID",
                                                [&](const std::string& text) {
                                                  task = parse_id<TaskId>(text);
                                                  return task.has_value();
                                                })},
                                   1);
  if (found) return error_of(*found);
  return *task;
}

Result<ChangeTasks> read_change(std::string_view body, const PeerLimits& limits) {
  ChangeTasks change;
  TaskFilter& filter = change.filter;
  std::int64_t least = 0;
  std::int64_t most = kPriorityHighest;
  std::int64_t limit = 0;
  std::int64_t cursor = 0;
  const Found found = read_members(
      body,
      {word_member("action", "cancel, requeue or forget",
                   [&](const auto& text) { return taken(task_action_named(text), change.action); }),
       queue_member(limits, filter.queue),
       word_member("state", "a state of a task",
                   [&](const auto& text) { return taken(task_state_named(text), filter.state); }),
       word_member("reason", "a reason such as timed_out",
                   [&](const auto& text) { return taken(reason_named(text), filter.reason); }),
       number_member("priority_least", kPriorityHighest, least),
       number_member("priority_most", kPriorityHighest, most),
       time_member("accepted_after", filter.accepted_after),
       time_member("accepted_before", filter.accepted_before),
       number_member("limit", std::int64_t{1'000'000'000}, limit),
       number_member("cursor", std::int64_t{1} << 53, cursor)},
      1);
  if (found) return error_of(*found);
  if (least > most) return invalid("'priority_least' is above 'priority_most'");
  filter.priority_least = static_cast<std::uint8_t>(least);
  filter.priority_most = static_cast<std::uint8_t>(most);
  change.limit = static_cast<std::uint32_t>(limit);
  change.cursor = static_cast<std::uint64_t>(cursor);
  return change;
}

// ---- waiting ------------------------------------------------------------------------------------

Result<LeaseRequest> read_lease(std::string_view query, const PeerLimits& limits) {
  static constexpr std::array<std::string_view, 4> kKnown = {"queue", "wait", "lease", "worker"};
  if (const auto problem = check_names(query, kKnown)) return *problem;
  LeaseRequest request;
  request.queues = split(query_parameter(query, "queue").value_or(""));
  for (const std::string& queue : request.queues) {
    if (!wire::is_queue_name(queue, limits)) {
      return invalid("queue must be one name or several with commas, as in queue=mail,video");
    }
  }
  if (request.queues.size() > limits.worker_queues_max) {
    return Error{ErrorCode::too_large, "more than " + std::to_string(limits.worker_queues_max) +
                                           " queues in one request"};
  }
  request.worker = query_parameter(query, "worker").value_or("http");
  if (!is_name(request.worker)) {
    return invalid("worker must be a name of 1 to 128 bytes of UTF-8 without control characters");
  }
  const Result<Duration> wait =
      duration_parameter(query, "wait", Duration(), Duration(), ApiSite::kWaitMax);
  if (!wait) return wait.error();
  request.wait = *wait;
  const Result<Duration> lease = duration_parameter(query, "lease", ApiSite::kLeaseDefault,
                                                    ApiSite::kLeaseMin, ApiSite::kLeaseMax);
  if (!lease) return lease.error();
  request.lease = *lease;
  return request;
}

Result<Duration> read_wait(std::string_view query) {
  static constexpr std::array<std::string_view, 1> kKnown = {"wait"};
  if (const auto problem = check_names(query, kKnown)) return *problem;
  return duration_parameter(query, "wait", Duration(), Duration(), ApiSite::kWaitMax);
}

}  // namespace millrace::broker
