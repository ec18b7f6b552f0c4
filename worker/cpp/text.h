// Error texts as the protocol wants them.
#pragma once

#include <string>
#include <string_view>

#include "common/base/bytes.h"

namespace millrace::worker {

// The last `bytes_max` bytes of `text` as valid UTF-8 without control characters other than tab and
// newline: what is not becomes '?', and a character cut in two at the front is left out.
std::string clean_error_text(std::string_view text, ByteCount bytes_max);

}  // namespace millrace::worker
