// How values look in every JSON document of the broker. For the .cpp files of this folder only, so
// that nobody else depends on the JSON library.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "common/base/time.h"
#include "common/json/values.h"
#include "common/wire/utf8.h"

namespace millrace::broker {

using json::add_bytes;
using json::id_number;
using json::moment;
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

inline Json seconds(Duration duration) {
  return duration.in_seconds();
}

}  // namespace millrace::broker
