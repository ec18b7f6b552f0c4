#include "broker/store/space_watch.h"

#include <algorithm>

#include "broker/store/data_directory.h"

namespace millrace::broker {
namespace {

using std::chrono::milliseconds;

// Counting free pages costs more the more of them there are: seldom while there is plenty of room,
// more often near the mark, and there also after every hundredth of the map that was written.
constexpr auto kCountInterval = milliseconds(1'000);
constexpr auto kCountIntervalNearMark = milliseconds(100);
constexpr std::uint64_t kCountEveryPart = 100;
// Shares of the map, and of the disk reserve once that is in use, that one commit may touch: both
// are small beside what lies between the watermark and the end.
constexpr std::uint64_t kCommitPartOfMap = 40;
constexpr std::uint64_t kCommitPartOfReserve = 4;
// Where there is room, a bound on a commit's time and memory.
constexpr std::uint64_t kCommitPagesMost = 32'768;
constexpr auto kDiskInterval = milliseconds(100);

ByteCount percent_of(ByteCount whole, std::uint32_t percent) {
  return ByteCount(whole.value / 100 * percent);
}

}  // namespace

SpaceWatch::SpaceWatch(const lmdb::Environment& environment, const StoreSettings& settings)
    : environment_(environment),
      directory_(settings.directory),
      map_bytes_(environment.map_bytes()),
      reserve_(settings.disk_reserve),
      refuse_at_(percent_of(map_bytes_, settings.accept_below_percent)),
      resume_below_(percent_of(map_bytes_, settings.resume_below_percent)),
      preallocation_(environment.data_descriptor(), settings.disk_reserve, map_bytes_) {}

Result<SpaceWatch::Level> SpaceWatch::refresh(ByteCount written) {
  const Clock::time_point now = Clock::now();
  high_water_ = environment_.high_water();
  if (Status map = measure_map(now, written); !map.ok()) return map.error();
  if (Status disk = measure_disk(now); !disk.ok()) return disk.error();
  accepting_ = map_has_room() && disk_has_room();
  Level level;
  level.usage = StoreUsage{used_, map_bytes_, disk_free_, accepting_};
  level.acceptable = used_ < refuse_at_ ? refuse_at_ - used_ : ByteCount();
  level.commit_pages = commit_pages();
  return level;
}

Status SpaceWatch::measure_map(Clock::time_point now, ByteCount written) {
  written_since_count_ = written_since_count_ + written;
  const bool near_mark = !accepting_ || high_water_ >= resume_below_;
  const bool written_much = written_since_count_.value >= map_bytes_.value / kCountEveryPart;
  const auto interval = near_mark ? kCountIntervalNearMark : kCountInterval;
  const bool first = counted_ == Clock::time_point();
  const bool due = written_since_count_ > ByteCount() && now - counted_ >= interval;
  if (first || due || (near_mark && written_much)) {
    const Result<std::uint64_t> free_pages = lmdb::count_free_pages(environment_);
    if (!free_pages.ok()) return free_pages.error();
    const ByteCount free(*free_pages * environment_.page_bytes());
    used_when_counted_ = high_water_ - std::min(high_water_, free);
    written_since_count_ = ByteCount();
    counted_ = now;
  }
  used_ = std::min(high_water_, used_when_counted_ + written_since_count_);
  return Done{};
}

Status SpaceWatch::measure_disk(Clock::time_point now) {
  // The blocks ahead come first: without them the next commit may not fit.
  const bool short_of_blocks =
      preallocation_.allocated() < std::min(map_bytes_, high_water_ + reserve_);
  const bool due = disk_looked_ == Clock::time_point() || now - disk_looked_ >= kDiskInterval;
  if (!due && !short_of_blocks) return Done{};
  // Tools read the file from outside, and may be killed.
  if (Status released = environment_.release_dead_readers(); !released.ok()) return released;
  const Result<DiskSpace> space = disk_space_of(directory_);
  if (!space.ok()) return space.error();
  disk_free_ = space->free;
  disk_looked_ = now;
  return preallocation_.extend(high_water_, disk_free_);
}

std::uint64_t SpaceWatch::commit_pages() const {
  std::uint64_t bytes = map_bytes_.value / kCommitPartOfMap;
  if (!accepting_) bytes = std::min(bytes, reserve_.value / kCommitPartOfReserve);
  const std::uint64_t pages = bytes / environment_.page_bytes();
  return std::clamp<std::uint64_t>(pages, 1, kCommitPagesMost);
}

bool SpaceWatch::map_has_room() const {
  return accepting_ ? used_ < refuse_at_ : used_ < resume_below_;
}

bool SpaceWatch::disk_has_room() const {
  // A quarter more is asked for before submits are accepted again, so that the answer does not
  // flap.
  const ByteCount wanted = accepting_ ? reserve_ : ByteCount(reserve_.value + reserve_.value / 4);
  if (!preallocation_.supported()) return disk_free_ >= wanted;
  const ByteCount allocated = preallocation_.allocated();
  return allocated >= map_bytes_ || allocated >= used_ + wanted;
}

}  // namespace millrace::broker
