#include "worker/cpp/attempts.h"

#include <algorithm>
#include <utility>

namespace millrace::worker {

bool Attempts::add(DispatchedTask task, Time arrived) {
  const HeldLease lease{task.task, task.fence};
  auto [slot, inserted] = index_.try_emplace(lease);
  if (!inserted) return false;
  Attempt attempt;
  attempt.lease = lease;
  attempt.timeout = task.timeout;
  attempt.dispatched = std::move(task);
  attempt.arrived = arrived;
  slot.value() = waiting_.insert(waiting_.end(), std::move(attempt));
  return true;
}

Attempt* Attempts::find(const HeldLease& lease) {
  const auto found = index_.find(lease);
  return found == index_.end() ? nullptr : &*found->second;
}

Attempt& Attempts::start_next(Time now) {
  MILLRACE_CHECK(!waiting_.empty(), "an attempt waits");
  running_.splice(running_.end(), waiting_, waiting_.begin());
  Attempt& attempt = running_.back();
  attempt.started = now;
  if (attempt.timeout > Duration()) set_deadline(attempt, now + attempt.timeout);
  return attempt;
}

void Attempts::abandon(Attempt& attempt) {
  MILLRACE_CHECK(!is_waiting(attempt), "only a running attempt is abandoned");
  if (attempt.abandoned) return;
  attempt.abandoned = true;
  ++abandoned_;
}

void Attempts::set_deadline(Attempt& attempt, Time deadline) {
  attempt.deadline = deadline;
  earliest_deadline_ = std::min(earliest_deadline_, deadline);
}

void Attempts::erase(const HeldLease& lease) {
  const auto found = index_.find(lease);
  if (found == index_.end()) return;
  const auto attempt = found->second;
  if (attempt->abandoned) --abandoned_;
  (is_waiting(*attempt) ? waiting_ : running_).erase(attempt);
  index_.erase(found);
}

std::vector<HeldLease> Attempts::overdue(Time now) {
  std::vector<HeldLease> leases;
  if (now < earliest_deadline_) return leases;
  earliest_deadline_ = Time::never();
  for (const Attempt& attempt : running_) {
    if (attempt.abandoned) continue;
    if (attempt.deadline <= now) {
      leases.push_back(attempt.lease);
    } else {
      earliest_deadline_ = std::min(earliest_deadline_, attempt.deadline);
    }
  }
  return leases;
}

std::vector<HeldLease> Attempts::waiting_leases() const {
  std::vector<HeldLease> leases;
  leases.reserve(waiting_.size());
  for (const Attempt& attempt : waiting_) leases.push_back(attempt.lease);
  return leases;
}

std::vector<HeldLease> Attempts::running_leases() const {
  std::vector<HeldLease> leases;
  for (const Attempt& attempt : running_) {
    if (!attempt.abandoned) leases.push_back(attempt.lease);
  }
  return leases;
}

}  // namespace millrace::worker
