// Every limit has a name, a default, a unit and an answer. The broker announces the ones that bind
// a peer in its Welcome; the sender checks them before it sends.
#pragma once

#include <cstdint>

#include "common/base/bytes.h"
#include "common/base/time.h"

namespace millrace {

inline constexpr std::uint16_t kProtocolVersion = 1;
inline constexpr std::uint8_t kPriorityDefault = 4;
inline constexpr std::uint8_t kPriorityHighest = 9;
inline constexpr std::size_t kPriorities = 10;
inline constexpr std::uint16_t kAttemptsDefault = 3;
inline constexpr std::uint16_t kAttemptsMost = 1'000;

// Limits that both sides of a connection must know.
struct PeerLimits {
  // One frame on any socket. Over it libzmq closes the connection, so peers must check first.
  ByteCount frame_bytes_max = ByteCount::mebibytes(32);
  // The payload of one task. Answer: too_large.
  ByteCount payload_bytes_max = ByteCount::mebibytes(16);
  // The result of one task. A worker turns a larger one into failed_for_good.
  ByteCount result_bytes_max = ByteCount::mebibytes(16);
  // The error text of one attempt; longer ones keep their last bytes.
  ByteCount error_bytes_max = ByteCount::kibibytes(4);
  // All headers of one task together. Answer: too_large.
  ByteCount headers_bytes_max = ByteCount::kibibytes(16);
  // A queue's name: 1 to this many bytes of [A-Za-z0-9._:/-]. Answer: invalid.
  std::uint32_t queue_name_bytes_max = 128;
  // Items in one Submit, Complete, Dispatch, Watch, Cancel or Get. Answer: too_large.
  std::uint32_t batch_items_max = 10'000;
  // Queues one worker may name. Answer: too_large.
  std::uint32_t worker_queues_max = 1'024;
  // Unfinished tasks one worker may hold (its credit). Larger credit is cut to this.
  std::uint32_t credit_max = 10'000;

  friend bool operator==(const PeerLimits&, const PeerLimits&) = default;
};

// The cadence of liveness, told to workers in their Welcome.
struct LivenessSettings {
  // Workers beat and the broker pulses this often.
  Duration beat_interval = Duration::seconds(1);
  // A worker silent for this long has lost its leases: the lease.
  Duration silence_max = Duration::seconds(3);

  friend bool operator==(const LivenessSettings&, const LivenessSettings&) = default;
};

}  // namespace millrace
