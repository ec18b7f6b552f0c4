// The log's index as the writer and the reader of the store share it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>

#include "broker/store/log_index.h"

namespace millrace::broker {

// The writer thread alone changes it, and so reads it without the lock.
//
// What a reader needs: a place it finds must exist in the snapshot of the data file that it reads.
// Therefore an entry is dropped one commit after its last record was carried forward, the commit is
// announced here after it is in the file and before the next one begins, and a reader takes a new
// snapshot under this lock whenever commits() has moved.
class SharedLogIndex {
 public:
  explicit SharedLogIndex(LogIndex index) : index_(std::move(index)) {}

  // Writer thread.
  const LogIndex& for_writer() const { return index_; }
  // Writer thread, after the commit that wrote the update. Lets readers in between: parts of the
  // update are as good as all of it.
  void publish(const LogUpdate& update) {
    {
      const std::lock_guard lock(mutex_);
      ++commits_;
    }
    auto change = update.changes.begin();
    for (std::size_t at = 0; at < update.entries.size(); at += kEntriesPerLock) {
      const std::lock_guard lock(mutex_);
      const std::size_t end = std::min(at + kEntriesPerLock, update.entries.size());
      for (std::size_t entry = at; entry < end; ++entry) {
        change = index_.add(update.entries[entry], change);
      }
    }
    if (update.first_kept.is_none()) return;
    const std::lock_guard lock(mutex_);
    index_.drop_below(update.first_kept);
  }

  // Readers: calls `read(const LogIndex&, commits)` under the lock.
  template <class Read>
  auto with_lock(Read read) const {
    const std::lock_guard lock(mutex_);
    return read(index_, commits_);
  }

 private:
  static constexpr std::size_t kEntriesPerLock = 16;

  mutable std::mutex mutex_;
  LogIndex index_;
  std::uint64_t commits_ = 1;  // announced; 0 is before the first
};

}  // namespace millrace::broker
