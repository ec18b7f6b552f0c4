#include "tests/fuzz/wire_input.h"

#include <algorithm>

namespace millrace::fuzz {
namespace {

constexpr std::size_t kHeaderBytes = 8;
// Values of the fourth byte that stand for a wrong number of frames.
constexpr std::uint8_t kNoFrame = 254;
constexpr std::uint8_t kThreeFrames = 255;

}  // namespace

// Small enough to be reached by a short input.
PeerLimits WireInput::limits() const {
  PeerLimits limits;
  if (!small_limits) return limits;
  limits.frame_bytes_max = ByteCount(700);
  limits.payload_bytes_max = ByteCount(16);
  limits.headers_bytes_max = ByteCount(24);
  limits.result_bytes_max = ByteCount(20);
  limits.error_bytes_max = ByteCount(10);
  limits.queue_name_bytes_max = 8;
  limits.batch_items_max = 3;
  limits.worker_queues_max = 2;
  limits.credit_max = 5;
  return limits;
}

std::optional<WireInput> read_wire_input(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  WireInput input;
  input.kind = static_cast<WireKind>(bytes[0] % static_cast<std::uint8_t>(WireKind::count));
  input.small_limits = bytes[1] % 4 == 1;
  input.shift = bytes[2] % 8;
  const auto length = static_cast<std::size_t>(bytes[4] + (bytes[5] << 8) + (bytes[6] << 16));
  const std::span<const std::uint8_t> rest = bytes.subspan(kHeaderBytes);
  const auto control = rest.first(std::min(length, rest.size()));
  if (bytes[3] == kNoFrame) return input;
  input.frames.push_back(SharedBytes::copy_of(control));
  if (control.size() < rest.size()) {
    input.frames.push_back(SharedBytes::copy_of(rest.subspan(control.size())));
  }
  if (bytes[3] == kThreeFrames) input.frames.resize(3);
  return input;
}

std::vector<std::uint8_t> write_wire_input(const WireInput& input) {
  const std::size_t length = input.control().size();
  std::vector<std::uint8_t> bytes = {static_cast<std::uint8_t>(input.kind),
                                     static_cast<std::uint8_t>(input.small_limits),
                                     input.shift,
                                     0,
                                     static_cast<std::uint8_t>(length),
                                     static_cast<std::uint8_t>(length >> 8),
                                     static_cast<std::uint8_t>(length >> 16),
                                     0};
  for (const SharedBytes& frame : input.frames) {
    bytes.insert(bytes.end(), frame.view().begin(), frame.view().end());
  }
  return bytes;
}

}  // namespace millrace::fuzz
