// The token of the HTTP port, a secret that lies in the data directory.
#pragma once

#include <string>

#include "common/base/result.h"

namespace millrace::broker {

// Reads `directory`/http-token, and makes it when it is not there; beside it http-header, the same
// as a header for `curl -H @FILE`. Both are for their owner alone. Errors: misconfigured.
Result<std::string> open_http_token(const std::string& directory);

}  // namespace millrace::broker
