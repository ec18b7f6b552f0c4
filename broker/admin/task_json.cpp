#include "broker/admin/task_json.h"

#include "broker/admin/json_text.h"
#include "common/json/explained_json.h"

namespace millrace::broker {
namespace {

Json attempt(const AttemptRecord& record) {
  return {{"attempt", record.attempt},        {"fence", id_number(record.fence.value)},
          {"reason", name_of(record.reason)}, {"started_at", moment(record.started)},
          {"ended_at", moment(record.ended)}, {"worker", text(record.worker)},
          {"error", text(record.error)}};
}

Json document_of(const TaskView& task) {
  Json document = {{"id", to_text(task.id)},
                   {"queue", text(task.queue)},
                   {"state", name_of(task.state)},
                   {"reason", name_of(task.reason)},
                   {"attempts", task.attempts},
                   {"max_attempts", task.max_attempts},
                   {"priority", task.priority},
                   {"worker", text(task.worker)},
                   {"progress_percent", task.progress_percent},
                   {"cancel_requested", task.cancel_requested},
                   {"error", text(task.error)},
                   {"accepted_at", moment(task.accepted)},
                   {"due_at", moment(task.due)},
                   {"expires_at", moment(task.expires)},
                   {"ended_at", moment(task.ended)},
                   {"timeout_seconds", seconds(task.timeout)},
                   {"payload_bytes", task.payload_bytes.value},
                   {"result_bytes", task.result_bytes.value},
                   {"sequence", id_number(task.sequence.value)},
                   {"fence", id_number(task.fence.value)}};
  if (!task.result.empty()) add_bytes(document, "result", task.result);
  if (!task.attempt_records.empty()) {
    Json& records = document["attempt_records"] = Json::array();
    for (const AttemptRecord& record : task.attempt_records) records.push_back(attempt(record));
  }
  return document;
}

}  // namespace

std::string task_json(const TaskView& task) {
  return dump(document_of(task));
}

std::string exported_task_json(const ExportedTask& task) {
  Json document = document_of(task.view);
  if (task.has_payload) {
    add_bytes(document, "payload", task.payload);
    Json& headers = document["headers"] = Json::object();
    for (const auto& [key, value] : task.headers) headers[key] = text(value);
  }
  for (const std::string& damage : task.damage) document["damage"].push_back(text(damage));
  return dump_line(document);
}

std::string explanation_document(const Explained& explained) {
  return dump(json::explanation_json(explained));
}

std::string history_document(const Explained& explained) {
  return dump(json::history_json(explained));
}

std::string task_list_json(const TaskList& list) {
  Json tasks = Json::array();
  for (const TaskView& task : list.tasks) tasks.push_back(document_of(task));
  Json document = Json::object();
  document["tasks"] = std::move(tasks);
  document["next_cursor"] = list.next_cursor == 0 ? Json(nullptr) : id_number(list.next_cursor);
  return dump(document);
}

std::string error_json(std::string_view code, std::string_view message) {
  Json document = Json::object();
  document["error"] = {{"code", text(code)}, {"message", text(message)}};
  return dump(document);
}

}  // namespace millrace::broker
