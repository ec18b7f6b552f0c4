// Single tasks as JSON documents. Same conventions as status_json.h; points in time are RFC 3339 in
// UTC or null. Pure functions; thread-safe.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/base/messages.h"

namespace millrace::broker {

// GET /tasks/{id}. A result that was asked for is "result" where it is UTF-8, else "result_base64";
// "attempt_records" is there when the view has any. The spec is left out.
std::string task_json(const TaskView& task);

// One line for `millrace-broker export`: as task_json with its result and attempts, and with
// "payload" or "payload_base64" and "headers" where the spec is there, "damage" where parts of the
// task could not be read.
struct ExportedTask {
  TaskView view;
  bool has_payload = false;
  SharedBytes payload;
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<std::string> damage;
};
std::string exported_task_json(const ExportedTask& task);

// GET /tasks/{id}/explain and /history: see explained_json.h.
std::string explanation_document(const Explained& explained);
std::string history_document(const Explained& explained);

// GET /dlq: {"tasks": [...], "next_cursor": N or null}, each task as in task_json.
std::string task_list_json(const TaskList& list);

// {"error": {"code": ..., "message": ...}}.
std::string error_json(std::string_view code, std::string_view message);

}  // namespace millrace::broker
