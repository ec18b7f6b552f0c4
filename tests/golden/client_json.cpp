// The fields of what clients say and hear.
#include "tests/golden/json_words.h"

namespace millrace::golden {
namespace {

Json table(const ClientHello& message, Parts&) {
  return {{"client", json_of(message.client)}, {"protocol_version", message.protocol_version}};
}

Json table(const Submit& message, Parts& parts) {
  Json sizes = Json::array();
  for (const SubmitItem& item : message.tasks) {
    sizes.push_back(item.spec.bytes.size());
    parts.push_back(item.spec.bytes);
  }
  return {{"spec_bytes", sizes}, {"watch", message.watch}};
}

Json table(const Watch& message, Parts&) {
  return {{"tasks", ids_of(message.tasks)}};
}
Json table(const Cancel& message, Parts&) {
  return {{"tasks", ids_of(message.tasks)}};
}

Json table(const GetTasks& message, Parts&) {
  return {{"tasks", ids_of(message.tasks)},
          {"with_payload", message.with_payload},
          {"with_result", message.with_result},
          {"with_attempts", message.with_attempts}};
}

Json table(const ListTasks& message, Parts&) {
  return {{"queue", message.filter.queue},
          {"state", word(message.filter.state)},
          {"cursor", wide(message.cursor)},
          {"limit", message.limit},
          {"with_attempts", message.with_attempts}};
}

Json table(const RequeueDead& message, Parts&) {
  return {{"tasks", ids_of(message.tasks)}, {"queue", message.queue}};
}
Json table(const PurgeDead& message, Parts&) {
  return {{"tasks", ids_of(message.tasks)}, {"queue", message.queue}};
}

Json table(const ControlQueue& message, Parts&) {
  static constexpr const char* kActions[] = {"unset", "pause", "resume", "purge"};
  return {{"queue", message.queue}, {"action", kActions[static_cast<int>(message.action)]}};
}

Json table(const DrainWorker& message, Parts&) {
  return {{"worker", message.worker}};
}

Json table(const GetStatus& message, Parts&) {
  static constexpr const char* kTopics[] = {"unset", "metrics", "workers", "queues"};
  return {{"topic", kTopics[static_cast<int>(message.topic)]}};
}

Json table(const Ping&, Parts&) {
  return Json::object();
}
Json table(const ClientGoodbye&, Parts&) {
  return Json::object();
}

Json table(const Explain& message, Parts&) {
  return {{"task", json_of(message.task)}};
}

Json table(const ChangeTasks& message, Parts&) {
  static constexpr const char* kActions[] = {"unset", "cancel", "requeue", "forget"};
  const TaskFilter& filter = message.filter;
  return {{"action", kActions[static_cast<int>(message.action)]},
          {"queue", filter.queue},
          {"state", word(filter.state)},
          {"reason", word(filter.reason)},
          {"priority_least", filter.priority_least},
          {"priority_most", filter.priority_most},
          {"accepted_after_ns", json_of(filter.accepted_after)},
          {"accepted_before_ns", json_of(filter.accepted_before)},
          {"cursor", wide(message.cursor)},
          {"limit", message.limit}};
}

// ---- answers ------------------------------------------------------------------------------------

Json table(const ClientWelcome& message, Parts&) {
  return {{"epoch", json_of(message.epoch)},
          {"endpoints", json_of(message.endpoints)},
          {"limits", json_of(message.limits)},
          {"beat_interval_ns", json_of(message.beat_interval)},
          {"broker_version", message.broker_version}};
}

Json table(const Submitted& message, Parts&) {
  static constexpr const char* kStatuses[] = {"unset",    "accepted",   "duplicate",
                                              "conflict", "invalid",    "too_large",
                                              "busy",     "store_full", "shutting_down"};
  Json statuses = Json::array();
  Json messages = Json::array();
  bool any = false;
  for (const SubmitAnswer& item : message.items) {
    statuses.push_back(kStatuses[static_cast<int>(item.status)]);
    messages.push_back(item.message);
    any = any || !item.message.empty();
  }
  return {{"statuses", statuses},
          {"messages", any ? messages : Json::array()},
          {"retry_after_ns", json_of(message.retry_after)}};
}

Json table(const Watching& message, Parts&) {
  return {{"unknown", ids_of(message.unknown)}};
}

Json table(const Finished& message, Parts& parts) {
  Json tasks = Json::array();
  std::string errors;
  for (const FinishedTask& task : message.tasks) {
    tasks.push_back({{"id", json_of(task.id)},
                     {"result_bytes", task.result.size()},
                     {"error_bytes", task.error.size()},
                     {"attempts", task.attempts},
                     {"state", word(task.state)},
                     {"reason", word(task.reason)}});
    errors += task.error;
    parts.push_back(task.result);
  }
  return {{"tasks", tasks}, {"errors", base64(SharedBytes::copy_of(errors))}};
}

Json table(const Cancelled& message, Parts&) {
  static constexpr const char* kStatuses[] = {"unset", "cancelled", "cancelling",
                                              "already_finished", "not_found"};
  Json items = Json::array();
  for (const CancelAnswer& item : message.items) {
    items.push_back(
        {{"status", kStatuses[static_cast<int>(item.status)]}, {"state", word(item.state)}});
  }
  return {{"items", items}};
}

Json record_json(const AttemptRecord& record) {
  return {{"attempt", record.attempt},
          {"fence", json_of(record.fence)},
          {"reason", word(record.reason)},
          {"started_ns", json_of(record.started)},
          {"ended_ns", json_of(record.ended)},
          {"worker", record.worker},
          {"error", record.error}};
}

Json view_json(const TaskView& view, Parts& parts) {
  Json records = Json::array();
  for (const AttemptRecord& record : view.attempt_records) records.push_back(record_json(record));
  parts.push_back(view.spec);
  parts.push_back(view.result);
  return {{"id", json_of(view.id)},
          {"sequence", json_of(view.sequence)},
          {"queue", view.queue},
          {"state", word(view.state)},
          {"reason", word(view.reason)},
          {"cancel_requested", view.cancel_requested},
          {"priority", view.priority},
          {"attempts", view.attempts},
          {"max_attempts", view.max_attempts},
          {"fence", json_of(view.fence)},
          {"timeout_ns", json_of(view.timeout)},
          {"accepted_ns", json_of(view.accepted)},
          {"due_ns", json_of(view.due)},
          {"expires_ns", json_of(view.expires)},
          {"ended_ns", json_of(view.ended)},
          {"worker", view.worker},
          {"progress_percent", view.progress_percent},
          {"error", view.error},
          {"payload_bytes", wide(view.payload_bytes.value)},
          {"result_bytes", wide(view.result_bytes.value)},
          {"attempt_records", records},
          {"spec_in_bundle_bytes", view.spec.size()},
          {"result_in_bundle_bytes", view.result.size()}};
}

Json table(const TaskList& message, Parts& parts) {
  Json tasks = Json::array();
  for (const TaskView& view : message.tasks) tasks.push_back(view_json(view, parts));
  return {{"tasks", tasks},
          {"unknown", ids_of(message.unknown)},
          {"next_cursor", wide(message.next_cursor)}};
}

Json table(const Changed& message, Parts&) {
  return {{"count", wide(message.count)}};
}
Json table(const Explained& message, Parts&) {
  Parts none;  // its task comes without spec and result
  return {{"task", view_json(message.task, none)},
          {"standing", name_of(message.standing)},
          {"text", message.text},
          {"since_ns", json_of(message.since)},
          {"until_ns", json_of(message.until)},
          {"started_ns", json_of(message.started)},
          {"ahead", wide(message.ahead)},
          {"ahead_is_estimate", message.ahead_is_estimate},
          {"wait_ns", json_of(message.wait)},
          {"workers", message.workers}};
}
Json table(const TasksChanged& message, Parts&) {
  return {{"count", wide(message.count)}, {"next_cursor", wide(message.next_cursor)}};
}
Json table(const StatusReport& message, Parts&) {
  return {{"json", message.json}};
}
Json table(const Pong& message, Parts&) {
  return {{"epoch", json_of(message.epoch)}};
}
Json table(const Refused& message, Parts&) {
  return json_of(message);
}
Json table(const BrokerGoodbye& message, Parts&) {
  return {{"message", message.message}};
}

}  // namespace

Json fields_of(const ClientMessage& message, Parts& parts) {
  return std::visit([&parts](const auto& body) { return table(body, parts); }, message);
}
Json fields_of(const ClientReply& message, Parts& parts) {
  return std::visit([&parts](const auto& body) { return table(body, parts); }, message);
}

}  // namespace millrace::golden
