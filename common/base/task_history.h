// What has happened to a task, told from what is kept of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/messages.h"

namespace millrace {

struct HistoryEntry {
  Time at;                 // none: it is not kept
  std::string_view event;  // "accepted", "leased", "failed", …: see history_of
  std::uint16_t attempt = 0;
  Fence fence;
  std::string worker;
  std::string detail;  // the error of an attempt, or what an entry means
};

// In the order of events: "accepted"; of each attempt that is kept "leased" and how it ended (a
// Reason's name); "cancel_requested" while its worker is not done; the end (a TaskState's name).
// "leases_not_kept" stands for earlier leases that left no attempt behind: handed back unstarted,
// or before a requeue. At most two entries an attempt and five more. Pure.
std::vector<HistoryEntry> history_of(const Explained& explained);

}  // namespace millrace
