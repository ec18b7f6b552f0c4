// Where a task stands and what has happened to it, as JSON for people's scripts: the same over HTTP
// and from the command line. Pure; thread-safe.
#pragma once

#include <nlohmann/json.hpp>

#include "common/base/messages.h"

namespace millrace::json {

// Points in time are RFC 3339 or null, durations seconds; what is not known is null.
nlohmann::ordered_json explanation_json(const Explained& explained);

// {"id", "state", "history": [...]}, one object an entry: see history_of.
nlohmann::ordered_json history_json(const Explained& explained);

}  // namespace millrace::json
