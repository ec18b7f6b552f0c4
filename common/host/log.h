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
Result<Log> make_log(const std::string& program, const std::string& level);

}  // namespace millrace::host
