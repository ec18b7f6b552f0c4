// How the bytes of the wire target are laid out: eight that choose, then the frames.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/wire/control_codec.h"

namespace millrace::fuzz {

enum class WireKind : std::uint8_t {
  client_message,
  client_reply,
  worker_message,
  worker_reply,
  task,
  beat,
  pulse,
  count
};

struct WireInput {
  WireKind kind = WireKind::client_message;
  bool small_limits = false;
  std::uint8_t shift = 0;  // how far past a multiple of 8 the bytes are tried too
  wire::Frames frames;     // a control frame, and what follows it as a bundle

  SharedBytes control() const { return frames.empty() ? SharedBytes() : frames.front(); }
  PeerLimits limits() const;
};

// Nothing when there are not even eight bytes.
std::optional<WireInput> read_wire_input(std::span<const std::uint8_t> bytes);
// The bytes that read_wire_input turns into `input`. Requires one or two frames.
std::vector<std::uint8_t> write_wire_input(const WireInput& input);

}  // namespace millrace::fuzz
