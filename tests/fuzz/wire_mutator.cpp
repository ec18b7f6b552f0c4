// Most damage to a FlatBuffer only reaches its verifier. So some inputs are made anew from a valid
// message, and some are damaged as a FlatBuffer is: by its 32-bit words and by parts of another.
#include <algorithm>

#include "common/wire/heartbeat_codec.h"
#include "tests/fuzz/wire_input.h"
#include "tests/unit/wire/frame_tools.h"
#include "tests/unit/wire/random_messages.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t size_max);

namespace millrace::fuzz {
namespace {

wire::Frames valid_frames(WireKind kind, Random& random) {
  switch (kind) {
    case WireKind::client_message:
      return wire::encode(
          wire::random_client_message(random.below(wire::kClientMessageKinds), random));
    case WireKind::client_reply:
      return wire::encode(wire::random_client_reply(random.below(wire::kClientReplyKinds), random));
    case WireKind::worker_message:
      return wire::encode(
          wire::random_worker_message(random.below(wire::kWorkerMessageKinds), random));
    case WireKind::worker_reply:
      return wire::encode(wire::random_worker_reply(random.below(wire::kWorkerReplyKinds), random));
    case WireKind::beat:
      return {wire::encode(wire::random_beat(random))};
    case WireKind::pulse:
      return {wire::encode(wire::random_pulse(random))};
    default:
      return {wire::encode_task(wire::random_task(random)).bytes};
  }
}

// A made or damaged input; nothing when the bytes should be changed like any others.
std::optional<WireInput> changed(std::span<const std::uint8_t> bytes, Random& random) {
  std::optional<WireInput> input = read_wire_input(bytes);
  const std::uint64_t choice = random.below(16);
  if (!input || input->frames.empty() || choice == 0) {
    WireInput made;
    made.kind = static_cast<WireKind>(random.below(static_cast<std::uint64_t>(WireKind::count)));
    made.small_limits = random.chance(1, 4);
    made.shift = static_cast<std::uint8_t>(random.below(8));
    made.frames = valid_frames(made.kind, random);
    return made;
  }
  if (choice > 6 || input->frames.size() > 2) return std::nullopt;
  const wire::Frames other = valid_frames(input->kind, random);
  SharedBytes& frame = input->frames[random.below(input->frames.size())];
  frame = wire::mutated(frame, other[random.below(other.size())], random);
  return input;
}

}  // namespace
}  // namespace millrace::fuzz

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t size_max, unsigned int seed) {
  millrace::Random random(seed);
  const auto input = millrace::fuzz::changed({data, size}, random);
  if (!input) return LLVMFuzzerMutate(data, size, size_max);
  const std::vector<std::uint8_t> bytes = millrace::fuzz::write_wire_input(*input);
  const std::size_t length = std::min(bytes.size(), size_max);
  std::copy_n(bytes.begin(), length, data);
  return length;
}
