#include "common/wire/heartbeat_codec.h"

#include <string>

#include "common/wire/flatbuffer_bytes.h"
#include "schemas/heartbeat_generated.h"

namespace millrace::wire {
namespace {

constexpr std::size_t kHeartbeatBytesMost = 256;
constexpr char kPulseIdentifier[] = "MRP1";

// The verified root in `frame`, which must be aligned.
template <class Root>
Result<const Root*> open_heartbeat(const SharedBytes& frame, const char* identifier) {
  if (frame.size() > kHeartbeatBytesMost) {
    return Error{ErrorCode::too_large, "heartbeat is " + std::to_string(frame.size()) +
                                           " bytes; at most " +
                                           std::to_string(kHeartbeatBytesMost) + " are allowed"};
  }
  flatbuffers::Verifier::Options options;
  options.max_depth = 2;
  options.max_tables = 1;
  flatbuffers::Verifier verifier(frame.data(), frame.size(), options);
  if (!verifier.VerifyBuffer<Root>(identifier)) {
    return Error{ErrorCode::invalid,
                 std::string("heartbeat is not a FlatBuffer with identifier ") + identifier};
  }
  const Root* root = flatbuffers::GetRoot<Root>(frame.data());
  if (root->protocol_version() != kProtocolVersion) {
    return Error{ErrorCode::invalid, "heartbeat has protocol version " +
                                         std::to_string(root->protocol_version()) + ", not " +
                                         std::to_string(kProtocolVersion)};
  }
  return root;
}

}  // namespace

Result<Beat> decode_beat(const SharedBytes& frame) {
  const SharedBytes bytes = aligned(frame);
  const Result<const schema::Beat*> root =
      open_heartbeat<schema::Beat>(bytes, schema::BeatIdentifier());
  if (!root.ok()) return root.error();
  const schema::Beat& read = **root;
  Beat beat;
  beat.worker = to_id<WorkerId>(read.worker());
  if (beat.worker.is_nil()) return Error{ErrorCode::invalid, "worker is missing or nil"};
  beat.session = SessionNonce(read.session());
  beat.number = read.number();
  beat.running = read.running();
  beat.queued = read.queued();
  return beat;
}

Result<Pulse> decode_pulse(const SharedBytes& frame) {
  const SharedBytes bytes = aligned(frame);
  const Result<const schema::Pulse*> root = open_heartbeat<schema::Pulse>(bytes, kPulseIdentifier);
  if (!root.ok()) return root.error();
  const schema::Pulse& read = **root;
  Pulse pulse;
  pulse.epoch = Epoch(read.epoch());
  if (pulse.epoch.is_none()) return Error{ErrorCode::invalid, "epoch is missing"};
  pulse.number = read.number();
  pulse.time = Time::since_epoch(Duration::nanoseconds(read.time_ns()));
  pulse.stopping = read.stopping();
  return pulse;
}

SharedBytes encode(const Beat& beat) {
  flatbuffers::FlatBufferBuilder builder(128);
  const schema::Uuid worker = to_uuid(beat.worker);
  const auto root = schema::CreateBeat(builder, kProtocolVersion, &worker, beat.session.value,
                                       beat.number, beat.running, beat.queued);
  schema::FinishBeatBuffer(builder, root);
  return release(builder);
}

SharedBytes encode(const Pulse& pulse) {
  flatbuffers::FlatBufferBuilder builder(128);
  const auto root = schema::CreatePulse(builder, kProtocolVersion, pulse.epoch.value, pulse.number,
                                        pulse.time.since_epoch().in_nanoseconds(), pulse.stopping);
  builder.Finish(root, kPulseIdentifier);
  return release(builder);
}

}  // namespace millrace::wire
