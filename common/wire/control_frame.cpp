#include "common/wire/control_frame.h"

#include <algorithm>
#include <limits>
#include <string>

namespace millrace::wire {
namespace {

constexpr std::size_t kFramesMost = 2;
constexpr flatbuffers::uoffset_t kTablesFew = 8;
// The smallest table that an honest TaskList repeats takes more bytes than this.
constexpr std::size_t kTableBytesLeast = 24;

// The verifier takes no more than 2 GiB, whatever the configured limit.
constexpr std::uint64_t kVerifierMost = std::numeric_limits<std::int32_t>::max() - 1;

}  // namespace

const schema::Envelope* verified_envelope(const SharedBytes& control, TableBudget tables) {
  if (control.size() > kVerifierMost) return nullptr;
  flatbuffers::Verifier::Options options;
  options.max_depth = 6;
  options.max_tables = kTablesFew;
  if (tables == TableBudget::by_size) {
    options.max_tables += static_cast<flatbuffers::uoffset_t>(control.size() / kTableBytesLeast);
  }
  flatbuffers::Verifier verifier(control.data(), control.size(), options);
  if (!schema::VerifyEnvelopeBuffer(verifier)) return nullptr;
  return schema::GetEnvelope(control.data());
}

Result<ControlFrame> open_control_frame(const Frames& frames, const PeerLimits& limits,
                                        TableBudget tables) {
  if (frames.empty() || frames.size() > kFramesMost) {
    return Error{ErrorCode::invalid, "message has " + std::to_string(frames.size()) +
                                         " frames; it must be a control frame and at most one "
                                         "bundle frame"};
  }
  for (const SharedBytes& frame : frames) {
    const std::uint64_t most = std::min(limits.frame_bytes_max.value, kVerifierMost);
    if (frame.size() > most) {
      return Error{ErrorCode::too_large, "frame is " + std::to_string(frame.size()) +
                                             " bytes; at most " + std::to_string(most) +
                                             " are allowed, so send smaller batches"};
    }
  }
  ControlFrame opened;
  opened.control = aligned(frames[0]);
  if (frames.size() > 1) opened.bundle = aligned(frames[1]);
  opened.envelope = verified_envelope(opened.control, tables);
  if (opened.envelope == nullptr) {
    return Error{ErrorCode::invalid,
                 "control frame is not an Envelope FlatBuffer (identifier MRC1)"};
  }
  if (opened.envelope->protocol_version() != kProtocolVersion) {
    return Error{ErrorCode::unsupported,
                 "protocol version " + std::to_string(opened.envelope->protocol_version()) +
                     " is not spoken here; use version " + std::to_string(kProtocolVersion)};
  }
  // The verifier lets an announced body be absent.
  if (opened.envelope->body() == nullptr) {
    return Error{ErrorCode::invalid, "control frame has no body"};
  }
  return opened;
}

Error unsupported_body(const ControlFrame& frame) {
  const auto type = frame.envelope->body_type();
  const bool listed = type > schema::Body::NONE && type <= schema::Body::MAX;
  const std::string name =
      listed ? schema::EnumNameBody(type) : "number " + std::to_string(static_cast<unsigned>(type));
  return {ErrorCode::unsupported, "message " + name + " is not taken here; see docs/protocol.md"};
}

Frames ControlFrameBuilder::finish(schema::Body type, flatbuffers::Offset<void> body,
                                   RequestId request) {
  schema::FinishEnvelopeBuffer(
      builder_, schema::CreateEnvelope(builder_, kProtocolVersion, request.value, type, body));
  Frames frames;
  frames.push_back(release(builder_));
  SharedBytes bundle = bundle_.finish();
  if (!bundle.empty()) frames.push_back(std::move(bundle));
  return frames;
}

}  // namespace millrace::wire
