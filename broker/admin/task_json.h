// Single tasks as JSON documents. Same conventions as status_json.h; points in time are RFC 3339 in
// UTC or null. Pure functions; thread-safe.
#pragma once

#include <string>

#include "common/base/messages.h"

namespace millrace::broker {

// GET /tasks/{id}. A result that was asked for is "result" where it is UTF-8, else "result_base64";
// "attempt_records" is there when the view has any. The spec is left out.
std::string task_json(const TaskView& task);

// GET /dlq: {"tasks": [...], "next_cursor": N or null}, each task as in task_json.
std::string task_list_json(const TaskList& list);

// {"error": {"code": ..., "message": ...}}.
std::string error_json(std::string_view code, std::string_view message);

}  // namespace millrace::broker
