#include "common/wire/shared_messages.h"

namespace millrace::wire {
namespace {

template <class Number>
void take_unless_zero(Number announced, Number& limit) {
  if (announced != 0) limit = announced;
}

void take_unless_zero(std::uint64_t announced, ByteCount& limit) {
  take_unless_zero(announced, limit.value);
}

}  // namespace

flatbuffers::Offset<flatbuffers::Vector<const schema::HeldLease*>> write_leases(
    flatbuffers::FlatBufferBuilder& builder, const std::vector<HeldLease>& leases) {
  schema::HeldLease* written = nullptr;
  const auto vector = builder.CreateUninitializedVectorOfStructs(leases.size(), &written);
  for (std::size_t i = 0; i < leases.size(); ++i) {
    written[i] = schema::HeldLease(to_uuid(leases[i].task), leases[i].fence.value);
  }
  return vector;
}

Endpoints read_endpoints(const schema::Endpoints* endpoints) {
  Endpoints read;
  if (endpoints == nullptr) return read;
  read.client_port = endpoints->client_port();
  read.worker_port = endpoints->worker_port();
  read.beat_port = endpoints->beat_port();
  read.pulse_port = endpoints->pulse_port();
  read.http_port = endpoints->http_port();
  return read;
}

flatbuffers::Offset<schema::Endpoints> write_endpoints(flatbuffers::FlatBufferBuilder& builder,
                                                       const Endpoints& endpoints) {
  return schema::CreateEndpoints(builder, endpoints.client_port, endpoints.worker_port,
                                 endpoints.beat_port, endpoints.pulse_port, endpoints.http_port);
}

PeerLimits read_limits(const schema::PeerLimits* limits) {
  PeerLimits read;
  if (limits == nullptr) return read;
  take_unless_zero(limits->frame_bytes_max(), read.frame_bytes_max);
  take_unless_zero(limits->payload_bytes_max(), read.payload_bytes_max);
  take_unless_zero(limits->result_bytes_max(), read.result_bytes_max);
  take_unless_zero(limits->error_bytes_max(), read.error_bytes_max);
  take_unless_zero(limits->headers_bytes_max(), read.headers_bytes_max);
  take_unless_zero(limits->queue_name_bytes_max(), read.queue_name_bytes_max);
  take_unless_zero(limits->batch_items_max(), read.batch_items_max);
  take_unless_zero(limits->worker_queues_max(), read.worker_queues_max);
  take_unless_zero(limits->credit_max(), read.credit_max);
  return read;
}

flatbuffers::Offset<schema::PeerLimits> write_limits(flatbuffers::FlatBufferBuilder& builder,
                                                     const PeerLimits& limits) {
  return schema::CreatePeerLimits(builder, limits.frame_bytes_max.value,
                                  limits.payload_bytes_max.value, limits.result_bytes_max.value,
                                  limits.error_bytes_max.value, limits.headers_bytes_max.value,
                                  limits.queue_name_bytes_max, limits.batch_items_max,
                                  limits.worker_queues_max, limits.credit_max);
}

Refused read_refused(const schema::Refused& body, RequestId request, const FieldReader& reader) {
  Refused refused;
  refused.request = request;
  // A code from a newer broker still means that the request was not done.
  const auto number = static_cast<std::uint8_t>(body.code());
  const bool known = number >= static_cast<std::uint8_t>(ErrorCode::invalid) &&
                     number <= static_cast<std::uint8_t>(ErrorCode::forbidden);
  refused.code = known ? static_cast<ErrorCode>(number) : ErrorCode::invalid;
  refused.message = reader.message(body.message());
  refused.retry_after = FieldReader::duration(body.retry_after_ns());
  return refused;
}

Frames frames_of(const Refused& refused) {
  ControlFrameBuilder frame;
  const auto message = frame.builder().CreateString(refused.message);
  return frame.finish(
      schema::CreateRefused(frame.builder(), static_cast<schema::ErrorCode>(refused.code), message,
                            refused.retry_after.in_nanoseconds()),
      refused.request);
}

BrokerGoodbye read_goodbye(const schema::BrokerGoodbye& body, const FieldReader& reader) {
  BrokerGoodbye goodbye;
  goodbye.message = reader.message(body.message());
  return goodbye;
}

Frames frames_of(const BrokerGoodbye& goodbye) {
  ControlFrameBuilder frame;
  const auto message = frame.builder().CreateString(goodbye.message);
  return frame.finish(schema::CreateBrokerGoodbye(frame.builder(), message));
}

}  // namespace millrace::wire
