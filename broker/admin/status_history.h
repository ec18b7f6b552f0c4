// The last hour in small, so that curves begin before anybody looks at them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/admin/status_snapshot.h"

namespace millrace::broker {

struct QueueSample {
  std::string name;
  std::uint64_t waiting = 0;  // pending and delayed
  std::uint64_t in_progress = 0;
  Duration oldest_pending_age;
};

// Totals count from the first start of the store on, so that a rate is a difference of two samples.
struct StatusSample {
  Time taken;
  std::uint64_t submitted = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t dead_lettered = 0;
  std::uint64_t retries = 0;
  std::uint64_t waiting = 0;
  std::uint64_t in_progress = 0;
  std::uint64_t dead = 0;
  std::uint64_t slots = 0;
  std::uint64_t busy_slots = 0;
  std::uint64_t workers = 0;
  Duration oldest_pending_age;      // over all queues
  std::vector<QueueSample> queues;  // those with the most waiting tasks, by name
};

// Oldest first. Samples are shared by the histories they are in.
struct StatusHistory {
  std::vector<std::shared_ptr<const StatusSample>> samples;
};

// Takes the samples. Belongs to one thread; the histories it gives out are everybody's.
class StatusRecorder {
 public:
  static constexpr Duration kInterval = Duration::seconds(10);
  static constexpr std::size_t kSamplesMax = 360;
  static constexpr std::size_t kQueuesMax = 16;

  // The history up to now; a sample of `snapshot` is added when one is due. Never null.
  std::shared_ptr<const StatusHistory> note(const StatusSnapshot& snapshot);

 private:
  std::shared_ptr<const StatusHistory> history_ = std::make_shared<const StatusHistory>();
};

// The sample that stands for a snapshot.
StatusSample sample_of(const StatusSnapshot& snapshot);

}  // namespace millrace::broker
