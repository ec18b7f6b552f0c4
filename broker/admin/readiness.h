// Whether the broker can do its work now, for load balancers and health checks.
#pragma once

#include <string>
#include <vector>

#include "broker/admin/status_snapshot.h"

namespace millrace::broker {

// A snapshot older than this means that the broker's loop stands still.
inline constexpr Duration kSnapshotAgeMax = Duration::seconds(2);

// What stands against readiness, one line each for a person; empty when ready. A null snapshot: the
// broker has not published any yet.
std::vector<std::string> reasons_not_ready(const StatusSnapshot* snapshot, Time now);

}  // namespace millrace::broker
