#include "broker/admin/readiness.h"

namespace millrace::broker {

std::vector<std::string> reasons_not_ready(const StatusSnapshot* snapshot, Time now) {
  if (snapshot == nullptr) return {"the broker is starting"};
  std::vector<std::string> reasons;
  const Duration age = now - snapshot->taken;
  if (age >= kSnapshotAgeMax) {
    reasons.push_back("the broker's loop has not reported for " +
                      to_text(Duration::milliseconds(age.in_milliseconds())));
  }
  if (!snapshot->store_accepting) {
    reasons.emplace_back("the store is nearly full and refuses submits");
  }
  if (snapshot->stopping) reasons.emplace_back("the broker is stopping");
  return reasons;
}

}  // namespace millrace::broker
