// Names of peers as text that any document can carry: valid UTF-8 and, for workers, unique.
// Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/admin/status_snapshot.h"

namespace millrace::broker {

// True when `text` is well-formed UTF-8 (RFC 3629: no overlong forms, surrogates or values above
// U+10FFFF).
bool is_utf8(std::string_view text);

// `text` with every byte that is not part of well-formed UTF-8 replaced by U+FFFD.
std::string as_utf8(std::string_view text);

// One key for each worker, in order: its name, and for the second worker of a name "name#2", and so
// on; never the same key twice.
std::vector<std::string> worker_keys(const std::vector<WorkerStatus>& workers);

}  // namespace millrace::broker
