// Gathers what the parts know of themselves into an immutable snapshot and shows it to other
// threads.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "broker/admin/status_history.h"
#include "broker/admin/status_snapshot.h"
#include "broker/config.h"
#include "broker/core/broker_core.h"
#include "broker/store/store.h"
#include "common/host/clock.h"

namespace millrace::broker {

// What only the shell knows.
struct ShellFigures {
  std::uint64_t bad_messages = 0;
  std::uint64_t sends_dropped = 0;
  Duration loop_lag;  // the longest turn of the last second or two
  bool stopping = false;
};

class StatusBoard {
 public:
  StatusBoard(std::string version, Time started)
      : version_(std::move(version)), started_(started) {}

  // The loop's thread only.
  bool is_due(Time now) const { return now >= next_; }
  // When the next one is due: soon after the last, but never so often that publishing costs more
  // than a fiftieth of the time.
  Time next() const { return next_; }
  void publish(const host::Clock& clock, const BrokerCore& core, const Store& store,
               const ShellFigures& figures);
  // The newest snapshot as the JSON document that HTTP serves; "{}" before the first.
  std::string document(StatusTopic topic) const;

  // From any thread; null before the first publish.
  StatusPointer newest() const {
    const std::lock_guard lock(mutex_);
    return newest_;
  }

 private:
  static constexpr Duration kIntervalMin = Duration::milliseconds(20);
  static constexpr std::int64_t kCostFactor = 50;

  std::string version_;
  Time started_;
  Time next_;
  StatusRecorder recorder_;
  mutable std::mutex mutex_;
  StatusPointer newest_;  // guarded by mutex_
};

}  // namespace millrace::broker
