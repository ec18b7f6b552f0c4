// Completions from the moment an attempt ends until the broker says that they are durable. A repeat
// is harmless, so what is not acknowledged in time is simply sent again. Pure data; keeps its
// order.
#pragma once

#include <cstddef>
#include <list>
#include <vector>

#include "common/base/flat_map.h"
#include "common/base/messages.h"
#include "worker/cpp/attempts.h"

namespace millrace::worker {

// Not thread-safe.
class Reports {
 public:
  // Keeps a completion to be sent. A second one for the same lease is ignored: the first stands.
  void add(Completion completion);
  // The broker has it (accepted or stale): nothing is kept. False if there is none for this lease.
  bool settle(const HeldLease& lease);

  bool holds(const HeldLease& lease) const { return index_.count(lease) > 0; }

  // The next completions to send, oldest first: at most `items_max` of them, and results and errors
  // of about `bytes_max` in all, but at least one. They count as sent at `now`. Empty when all are
  // sent.
  std::vector<Completion> take_batch(std::size_t items_max, ByteCount bytes_max, Time now);

  // Marks all that were sent at `before` or earlier as to be sent again.
  void repeat_sent_until(Time before);
  // When the oldest sent one was sent; never() if there is none.
  Time oldest_sent() const { return sent_.empty() ? Time::never() : sent_.front().sent_at; }

  std::vector<HeldLease> leases() const;
  bool has_unsent() const { return !unsent_.empty(); }
  std::size_t size() const { return index_.size(); }

 private:
  struct Report {
    Completion completion;
    Time sent_at;
  };
  std::list<Report> unsent_;
  std::list<Report> sent_;  // oldest first
  struct Place {
    std::list<Report>::iterator report;
    bool sent = false;
  };
  FlatMap<HeldLease, Place, LeaseHash> index_;
};

}  // namespace millrace::worker
