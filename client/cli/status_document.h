// The broker's status documents (as HTTP serves them) for people. Read robustly: a missing or odd
// field is an empty cell, never a failure.
#pragma once

#include <string>
#include <string_view>

namespace millrace::cli {

// Each takes the JSON text; nothing when it is not the document expected. A list or an object by
// name.
std::string queues_text(std::string_view json, bool colour);
std::string workers_text(std::string_view json, bool colour);
// Every number and word of the document, nested ones as "outer.inner", aligned.
std::string metrics_text(std::string_view json);

}  // namespace millrace::cli
