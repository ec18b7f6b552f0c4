// Parts that several directions carry. Internal to the control codec.
#pragma once

#include "common/wire/control_frame.h"
#include "common/wire/field_reader.h"

namespace millrace::wire {

template <class Tag>
flatbuffers::Offset<flatbuffers::Vector<const schema::Uuid*>> write_ids(
    flatbuffers::FlatBufferBuilder& builder, const std::vector<Id128<Tag>>& ids) {
  schema::Uuid* uuids = nullptr;
  const auto vector = builder.CreateUninitializedVectorOfStructs(ids.size(), &uuids);
  for (std::size_t i = 0; i < ids.size(); ++i) uuids[i] = to_uuid(ids[i]);
  return vector;
}

flatbuffers::Offset<flatbuffers::Vector<const schema::HeldLease*>> write_leases(
    flatbuffers::FlatBufferBuilder& builder, const std::vector<HeldLease>& leases);

Endpoints read_endpoints(const schema::Endpoints* endpoints);
flatbuffers::Offset<schema::Endpoints> write_endpoints(flatbuffers::FlatBufferBuilder& builder,
                                                       const Endpoints& endpoints);

PeerLimits read_limits(const schema::PeerLimits* limits);
flatbuffers::Offset<schema::PeerLimits> write_limits(flatbuffers::FlatBufferBuilder& builder,
                                                     const PeerLimits& limits);

Refused read_refused(const schema::Refused& body, RequestId request, const FieldReader& reader);
Frames frames_of(const Refused& refused);

BrokerGoodbye read_goodbye(const schema::BrokerGoodbye& body, const FieldReader& reader);
Frames frames_of(const BrokerGoodbye& goodbye);

}  // namespace millrace::wire
