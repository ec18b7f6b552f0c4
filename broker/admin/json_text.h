// How values look in every JSON document of the broker. For the .cpp files of this folder only, so
// that nobody else depends on the JSON library.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/time.h"
#include "common/json/base64.h"
#include "common/wire/utf8.h"

namespace millrace::broker {

using Json = nlohmann::ordered_json;  // keys stay in the order they were written

// The document as text: two spaces of indent, a newline at the end, bad UTF-8 replaced (the library
// would throw).
inline std::string dump(const Json& document) {
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// The same on one line.
inline std::string dump_line(const Json& document) {
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

inline Json text(std::string_view value) {
  return replace_invalid_utf8(value);
}

// An id or position: a number while every JSON reader holds it exactly (RFC 8259 section 6), else
// its digits as a string.
inline Json id_number(std::uint64_t value) {
  constexpr std::uint64_t kLargestExact = (std::uint64_t{1} << 53) - 1;
  return value <= kLargestExact ? Json(value) : Json(std::to_string(value));
}

inline Json seconds(Duration duration) {
  return duration.in_seconds();
}

// Bytes as a member `key` when they are UTF-8, else as `key`_base64.
inline void add_bytes(Json& document, const std::string& key, const SharedBytes& bytes) {
  if (is_utf8(bytes.text())) {
    document[key] = bytes.text();
  } else {
    document[key + "_base64"] = json::encode_base64(bytes.view());
  }
}

// RFC 3339, or null for "none".
inline Json moment(Time time) {
  return time.is_none() ? Json(nullptr) : Json(to_rfc3339(time));
}

}  // namespace millrace::broker
