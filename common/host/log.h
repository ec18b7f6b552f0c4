// Structured, line-based logging to stderr through spdlog.
#pragma once

#include <spdlog/logger.h>
#include <memory>
#include <string>

#include "common/base/result.h"

namespace millrace::host {

using Log = std::shared_ptr<spdlog::logger>;

// A logger to stderr: "2026-03-01T12:30:00.250Z info  millrace-broker: text", coloured on a
// terminal. `level`: trace, debug, info, warn, error, off. Errors: misconfigured. Thread-safe to
// use.
// `format`: text, or json for one object a line: {"time", "level", "program", "pid", "text"}.
Result<Log> make_log(const std::string& program, const std::string& level,
                     const std::string& format = "text");

// Changes the level of a log. Errors: misconfigured, and nothing changed.
Status set_level(spdlog::logger& log, const std::string& level);

}  // namespace millrace::host
