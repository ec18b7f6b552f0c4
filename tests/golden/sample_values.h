// Values that several samples share.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "common/base/ids.h"
#include "common/base/limits.h"
#include "common/base/messages.h"

namespace millrace::golden {

inline constexpr std::uint64_t kMost64 = std::numeric_limits<std::uint64_t>::max();
inline constexpr std::uint32_t kMost32 = std::numeric_limits<std::uint32_t>::max();
inline constexpr std::uint16_t kMost16 = std::numeric_limits<std::uint16_t>::max();
// The longest duration of a control message.
inline constexpr Duration kLongest = Duration::days(3'650);
// 2026-01-02T03:04:05.000000006Z.
inline constexpr Time kMoment = Time::since_epoch(Duration::nanoseconds(1'767'323'045'000'000'006));

template <class IdType>
IdType id_of(const char* text) {
  const auto id = parse_id<IdType>(text);
  MILLRACE_CHECK(id.has_value(), "a UUID");
  return *id;
}

inline TaskId first_task() {
  return id_of<TaskId>("0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f");
}
// Its halves are not symmetric: a swapped or reversed one shows.
inline TaskId second_task() {
  return id_of<TaskId>("00112233-4455-6677-8899-aabbccddeeff");
}
inline TaskId highest_task() {
  return id_of<TaskId>("ffffffff-ffff-ffff-ffff-ffffffffffff");
}
inline TaskId lowest_task() {
  return id_of<TaskId>("00000000-0000-0000-0000-000000000001");
}

inline SharedBytes bytes_of(std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + 1);
  return SharedBytes::adopt(std::move(bytes));
}

inline Endpoints some_endpoints() {
  return {5555, 5556, 5557, 5558, 8080};
}

// Each limit differs from its default and from the others.
inline PeerLimits some_limits() {
  PeerLimits limits;
  limits.frame_bytes_max = ByteCount(1'000'001);
  limits.payload_bytes_max = ByteCount(1'000'002);
  limits.result_bytes_max = ByteCount(1'000'003);
  limits.error_bytes_max = ByteCount(1'004);
  limits.headers_bytes_max = ByteCount(1'005);
  limits.queue_name_bytes_max = 106;
  limits.batch_items_max = 1'007;
  limits.worker_queues_max = 108;
  limits.credit_max = 1'009;
  return limits;
}

}  // namespace millrace::golden
