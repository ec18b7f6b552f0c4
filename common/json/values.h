// How values look in every JSON document that Millrace writes. Pure functions; thread-safe.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "common/base/bytes.h"
#include "common/base/time.h"
#include "common/json/base64.h"
#include "common/wire/utf8.h"

namespace millrace::json {

// An id or position: a number while every JSON reader holds it exactly (RFC 8259 section 6), else
// its digits as a string.
inline nlohmann::ordered_json id_number(std::uint64_t value) {
  using Json = nlohmann::ordered_json;
  constexpr std::uint64_t kLargestExact = (std::uint64_t{1} << 53) - 1;
  return value <= kLargestExact ? Json(value) : Json(std::to_string(value));
}

// RFC 3339, or null for "none".
inline nlohmann::ordered_json moment(Time time) {
  using Json = nlohmann::ordered_json;
  return time.is_none() ? Json(nullptr) : Json(to_rfc3339(time));
}

// Bytes as a member `key` when they are UTF-8, else as `key`_base64.
inline void add_bytes(nlohmann::ordered_json& document, const std::string& key,
                      const SharedBytes& bytes) {
  if (is_utf8(bytes.text())) {
    document[key] = bytes.text();
  } else {
    document[key + "_base64"] = encode_base64(bytes.view());
  }
}

}  // namespace millrace::json
