#include "common/json/fields.h"

#include <charconv>
#include <utility>

#include "common/json/base64.h"

namespace millrace::json {
namespace {

using Json = nlohmann::json;

}  // namespace

Problem must_be(const std::string& key, const Json& value, const std::string& allowed) {
  return Problem{0, "'" + key + "' is " + show(value) + "; it must be " + allowed};
}

std::optional<Problem> read_integer(const std::string& key, const Json& value, std::int64_t low,
                                    std::int64_t high, std::int64_t& number) {
  const std::string allowed = std::to_string(low) + " to " + std::to_string(high);
  if (!value.is_number_integer()) return must_be(key, value, "a whole number, " + allowed);
  const bool too_big =
      value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(high);
  if (too_big) return must_be(key, value, allowed);
  number = value.get<std::int64_t>();
  if (number < low || number > high) return must_be(key, value, allowed);
  return std::nullopt;
}

std::optional<Problem> read_duration(const std::string& key, const Json& value,
                                     Duration& duration) {
  if (!value.is_string()) return must_be(key, value, "a duration in quotes, such as \"10s\"");
  const Result<Duration> parsed = parse_duration(value.get_ref<const std::string&>());
  if (!parsed) {
    return must_be(key, value, "a duration such as \"250ms\", \"10s\", \"5m\" or \"2h\"");
  }
  duration = *parsed;
  return std::nullopt;
}

std::optional<Problem> read_task_id(const std::string& key, const Json& value, TaskId& id) {
  if (value.is_string()) {
    const std::optional<TaskId> parsed = parse_id<TaskId>(value.get_ref<const std::string&>());
    if (parsed.has_value()) {
      id = *parsed;
      return std::nullopt;
    }
  }
  return must_be(key, value, "a UUID such as \"0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f\"");
}

std::optional<Problem> read_fence(const std::string& key, const Json& value, Fence& fence) {
  std::uint64_t number = 0;
  if (value.is_number_unsigned()) {
    number = value.get<std::uint64_t>();
  } else if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end) number = 0;
  }
  if (number == 0) return must_be(key, value, "the fence that came with the lease");
  fence = Fence(number);
  return std::nullopt;
}

std::optional<Problem> read_flag(const std::string& key, const Json& value, bool& flag) {
  if (!value.is_boolean()) return must_be(key, value, "true or false");
  flag = value.get<bool>();
  return std::nullopt;
}

std::optional<Problem> read_text(const std::string& key, const Json& value, SharedBytes& bytes) {
  if (!value.is_string()) {
    return must_be(key, value, "a string (quote it, or give '" + key + "_base64')");
  }
  bytes = SharedBytes::copy_of(value.get_ref<const std::string&>());
  return std::nullopt;
}

std::optional<Problem> read_base64(const std::string& key, const Json& value, SharedBytes& bytes) {
  if (value.is_string()) {
    auto decoded = decode_base64(value.get_ref<const std::string&>());
    if (decoded.has_value()) {
      bytes = SharedBytes::adopt(std::move(*decoded));
      return std::nullopt;
    }
  }
  return must_be(key, value, "a string of base64 with its padding (RFC 4648)");
}

}  // namespace millrace::json
