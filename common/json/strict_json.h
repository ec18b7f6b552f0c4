// JSON as RFC 8259 has it, with duplicate keys and deep nesting refused: what is read is what was
// meant.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::json {

// Where and why a line cannot be used. `column` counts bytes from 1; 0 when the fault has no place.
struct Problem {
  std::size_t column = 0;
  std::string message;
};

// Reads one JSON value into `value`; the problem when it is not one.
std::optional<Problem> parse_strict(std::string_view text, nlohmann::json& value);

// One line, cut when long, that shows `value` in an error message. Never throws.
std::string show(const nlohmann::json& value);

// Compact JSON text; invalid UTF-8 becomes U+FFFD. Never throws.
template <class Json>
std::string dump(const Json& value, int indent = -1) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace millrace::json
