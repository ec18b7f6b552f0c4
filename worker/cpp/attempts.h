// What this worker has been given and has not ended: tasks that wait for a slot and attempts that
// occupy one. Pure data; keeps its order, so everything that walks it is deterministic.
#pragma once

#include <functional>
#include <list>
#include <optional>
#include <vector>

#include "common/base/flat_map.h"
#include "common/base/messages.h"

namespace millrace::worker {

// Hash of a lease: a task may be held under two fences at once (an overdue attempt that has not
// stopped yet, and its retry).
struct LeaseHash {
  std::size_t operator()(const HeldLease& lease) const noexcept {
    return std::hash<TaskId>()(lease.task) ^ std::hash<Fence>()(lease.fence);
  }
};

// One dispatched attempt.
struct Attempt {
  HeldLease lease;
  Duration timeout;           // zero: none
  DispatchedTask dispatched;  // moved away when it starts
  Time arrived;
  Time started;                        // none while it waits
  Time deadline = Time::never();       // of the running attempt
  std::optional<Extension> extension;  // asked for, not yet sent
  bool cancelled = false;  // running: stopped for a cancel; its end is reported as cancelled
  bool abandoned = false;  // running: nobody waits for its end, but it occupies its slot
};

// Not thread-safe.
class Attempts {
 public:
  // Adds a waiting attempt. False, and nothing happens, if this lease is held here already.
  bool add(DispatchedTask task, Time arrived);

  // The attempt under `lease`, or nullptr. Valid until it is erased.
  Attempt* find(const HeldLease& lease);
  bool is_waiting(const Attempt& attempt) const { return attempt.started.is_none(); }

  // Starts the attempt that has waited longest. Requires one. The reference is valid until erased.
  Attempt& start_next(Time now);
  // The attempt that has waited longest, or nullptr.
  const Attempt* next_waiting() const { return waiting_.empty() ? nullptr : &waiting_.front(); }

  // Makes a running attempt one whose end nobody waits for. Requires it to be running.
  void abandon(Attempt& attempt);
  // Sets a running attempt's deadline.
  void set_deadline(Attempt& attempt, Time deadline);
  // Forgets an attempt; a running one gives its slot back.
  void erase(const HeldLease& lease);

  // Running attempts that somebody waits for and whose deadline is not after `now`, in start order.
  std::vector<HeldLease> overdue(Time now);
  // Not after the earliest deadline; may be earlier, never later.
  Time next_deadline() const { return running_.empty() ? Time::never() : earliest_deadline_; }

  // Every waiting lease, oldest first; every running one that is not abandoned, in start order.
  std::vector<HeldLease> waiting_leases() const;
  std::vector<HeldLease> running_leases() const;

  std::size_t waiting() const { return waiting_.size(); }
  std::size_t running() const { return running_.size(); }  // occupied slots, abandoned ones too
  std::size_t abandoned() const { return abandoned_; }

 private:
  std::list<Attempt> waiting_;  // oldest first
  std::list<Attempt> running_;  // in start order
  FlatMap<HeldLease, std::list<Attempt>::iterator, LeaseHash> index_;
  std::size_t abandoned_ = 0;
  Time earliest_deadline_ = Time::never();  // a lower bound, made exact by overdue()
};

}  // namespace millrace::worker
