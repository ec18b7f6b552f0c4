// Gathers what the parts know of themselves into an immutable snapshot and shows it to other
// threads.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "broker/admin/status_snapshot.h"
#include "broker/config.h"
#include "broker/core/broker_core.h"
#include "broker/store/store.h"

namespace millrace::broker {

// What only the shell knows.
struct ShellFigures {
  std::uint64_t bad_messages = 0;
  std::uint64_t sends_dropped = 0;
  Duration loop_lag;  // the longest turn since the last snapshot
  bool stopping = false;
};

class StatusBoard {
 public:
  StatusBoard(std::string version, Time started)
      : version_(std::move(version)), started_(started) {}

  // The loop's thread only.
  bool is_due(Time now) const { return now >= next_; }
  void publish(Time now, const BrokerCore& core, const Store& store, const ShellFigures& figures);
  // The newest snapshot as the JSON document that HTTP serves; "{}" before the first.
  std::string document(StatusTopic topic) const;

  // From any thread; null before the first publish.
  StatusPointer newest() const {
    const std::lock_guard lock(mutex_);
    return newest_;
  }

 private:
  static constexpr Duration kInterval = Duration::milliseconds(200);

  std::string version_;
  Time started_;
  Time next_;
  mutable std::mutex mutex_;
  StatusPointer newest_;  // guarded by mutex_
};

}  // namespace millrace::broker
