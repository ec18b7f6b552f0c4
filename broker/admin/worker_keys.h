// The names that workers have in documents. A pure function; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "broker/admin/status_snapshot.h"

namespace millrace::broker {

// One key for each worker, in order: its name as valid UTF-8, and for the second worker of a name
// "name#2", and so on; never the same key twice.
std::vector<std::string> worker_keys(const std::vector<WorkerStatus>& workers);

}  // namespace millrace::broker
