// Single members of a JSON object, read strictly. Each function fills its last argument, or says in
// words for a person what the member is and what it must be. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/ids.h"
#include "common/base/time.h"
#include "common/json/strict_json.h"

namespace millrace::json {

// "'key' is VALUE; it must be ALLOWED".
Problem must_be(const std::string& key, const nlohmann::json& value, const std::string& allowed);

// A whole number from `low` to `high`.
std::optional<Problem> read_integer(const std::string& key, const nlohmann::json& value,
                                    std::int64_t low, std::int64_t high, std::int64_t& number);

// A text such as "250ms" or "2h", zero or more.
std::optional<Problem> read_duration(const std::string& key, const nlohmann::json& value,
                                     Duration& duration);

std::optional<Problem> read_task_id(const std::string& key, const nlohmann::json& value,
                                    TaskId& id);

// A whole number from 1, as a number or as its digits in quotes: many readers of JSON do not hold
// numbers above 2^53 exactly.
std::optional<Problem> read_fence(const std::string& key, const nlohmann::json& value,
                                  Fence& fence);

std::optional<Problem> read_flag(const std::string& key, const nlohmann::json& value, bool& flag);

// Bytes given as text.
std::optional<Problem> read_text(const std::string& key, const nlohmann::json& value,
                                 SharedBytes& bytes);
// Bytes given as base64 with its padding.
std::optional<Problem> read_base64(const std::string& key, const nlohmann::json& value,
                                   SharedBytes& bytes);

}  // namespace millrace::json
