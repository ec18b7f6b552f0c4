// Decides whether there is room for new tasks, early enough that what is running can still finish.
#pragma once

#include <chrono>
#include <string>

#include "broker/store/lmdb_env.h"
#include "broker/store/preallocation.h"
#include "broker/store/store.h"
#include "broker/store/store_settings.h"

namespace millrace::broker {

// Map and disk, looked at between commits. Writer thread only; the environment must outlive it.
class SpaceWatch {
 public:
  SpaceWatch(const lmdb::Environment& environment, const StoreSettings& settings);

  struct Level {
    StoreUsage usage;
    // What may still be written before the map's watermark is reached.
    ByteCount acceptable;
    // The most pages one commit should touch. LMDB copies every page it changes, and what one
    // commit frees cannot be used by the next: two of them must fit in the room that is kept free.
    std::uint64_t commit_pages = 0;
  };
  // Call after every commit with the bytes it wrote, and now and then when idle. Errors: anything
  // but a lack of space.
  Result<Level> refresh(ByteCount written);

 private:
  using Clock = std::chrono::steady_clock;

  Status measure_map(Clock::time_point now, ByteCount written);
  Status measure_disk(Clock::time_point now);
  bool disk_has_room() const;
  std::uint64_t commit_pages() const;
  bool map_has_room() const;

  const lmdb::Environment& environment_;
  const std::string directory_;
  const ByteCount map_bytes_;
  const ByteCount reserve_;
  const ByteCount refuse_at_;     // used bytes of the map
  const ByteCount resume_below_;  // used bytes of the map
  Preallocation preallocation_;

  ByteCount high_water_;
  ByteCount used_;  // without free pages: exact when just counted, else at most this
  ByteCount used_when_counted_;
  ByteCount written_since_count_;
  Clock::time_point counted_;
  ByteCount disk_free_;
  Clock::time_point disk_looked_;
  bool accepting_ = true;
};

}  // namespace millrace::broker
