// What all control messages share: the verified envelope around a body, and its frames.
#pragma once

#include "common/wire/bundle.h"
#include "common/wire/control_codec.h"
#include "common/wire/flatbuffer_bytes.h"
#include "schemas/control_generated.h"

namespace millrace::wire {

// A verified control frame of our protocol version. `envelope` points into `control`.
struct ControlFrame {
  SharedBytes control;
  SharedBytes bundle;  // aligned; empty when left out
  const schema::Envelope* envelope = nullptr;
};

// How many tables a frame may hold: what the verifier's work is bounded by.
enum class TableBudget {
  few,      // everything that the broker receives and most of what it sends
  by_size,  // TaskList: in proportion to the frame's size
};

// The root of `control`, which must be aligned; nullptr when it does not verify.
const schema::Envelope* verified_envelope(const SharedBytes& control, TableBudget tables);

// Errors: too_large (a frame over its limit), invalid (number of frames, not an Envelope),
// unsupported (protocol version).
Result<ControlFrame> open_control_frame(const Frames& frames, const PeerLimits& limits,
                                        TableBudget tables);

// For a verified envelope whose body the receiver does not take.
Error unsupported_body(const ControlFrame& frame);

// Builds one message.
class ControlFrameBuilder {
 public:
  // `size_hint`: bytes, roughly what the control frame will need.
  explicit ControlFrameBuilder(std::size_t size_hint = 256) : builder_(size_hint) {}

  flatbuffers::FlatBufferBuilder& builder() { return builder_; }
  BundleWriter& bundle() { return bundle_; }

  template <class Body>
  Frames finish(flatbuffers::Offset<Body> body, RequestId request = RequestId()) {
    return finish(schema::BodyTraits<Body>::enum_value, body.Union(), request);
  }

 private:
  Frames finish(schema::Body type, flatbuffers::Offset<void> body, RequestId request);

  flatbuffers::FlatBufferBuilder builder_;
  BundleWriter bundle_;
};

}  // namespace millrace::wire
