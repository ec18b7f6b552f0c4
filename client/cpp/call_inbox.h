// What comes back for one call, handed from the connection's thread to the caller's.
#pragma once

#include <chrono>
#include <condition_variable>
#include <iterator>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "client/cpp/session_types.h"

namespace millrace::client {

// Where the connection's thread puts the events of one call, or of one kind of calls.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Takes the events out of `events`; nothing when it is empty.
  virtual void put(std::vector<SessionEvent>& events) = 0;
  // Nothing will come any more: the client is being destroyed.
  virtual void close() = 0;
};
using EventSinkPointer = std::shared_ptr<EventSink>;

// Thread-safe.
class CallInbox final : public EventSink {
 public:
  void put(std::vector<SessionEvent>& events) override {
    if (events.empty()) return;
    {
      const std::lock_guard lock(mutex_);
      if (events_.empty()) {
        events_.swap(events);
      } else {
        events_.insert(events_.end(), std::make_move_iterator(events.begin()),
                       std::make_move_iterator(events.end()));
      }
    }
    events.clear();
    changed_.notify_one();
  }

  void close() override {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_one();
  }

  // Takes all that has come; when there is nothing, waits for it up to `wait`.
  std::vector<SessionEvent> take(Duration wait) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::nanoseconds(wait.in_nanoseconds()),
                      [this] { return closed_ || !events_.empty(); });
    return std::exchange(events_, {});
  }

  bool closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<SessionEvent> events_;
  bool closed_ = false;
};

using CallInboxPointer = std::shared_ptr<CallInbox>;

}  // namespace millrace::client
