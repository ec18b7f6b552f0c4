// Tasks as JSON, one line each, with the field's names and those of the broker's HTTP documents.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "common/base/messages.h"

namespace millrace::cli {

using OrderedJson = nlohmann::ordered_json;  // keys stay in the order they were written

// {"id", "state", "attempts", "result" or "result_base64", "error"}.
OrderedJson finished_json(const FinishedTask& task);
// Everything that is known; payload, headers, result and attempts when they came along.
OrderedJson task_view_json(const TaskView& task);

}  // namespace millrace::cli
