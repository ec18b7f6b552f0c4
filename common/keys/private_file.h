// Files with secrets: for their owner alone.
#pragma once

#include <string>

#include "common/base/result.h"

namespace millrace::keys {

// The whole of a small file that only its owner, who is this user or root, may read. Errors:
// misconfigured, with the fix, for a file that others may read too, and for one that cannot be
// read.
Result<std::string> read_private_file(const std::string& path);

// Makes the file, readable for its owner alone, synced; it is there whole or not at all. Errors:
// misconfigured when it is there already, and when it cannot be written.
Status write_private_file(const std::string& path, const std::string& text);

}  // namespace millrace::keys
