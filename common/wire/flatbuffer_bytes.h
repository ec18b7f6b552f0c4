// Between FlatBuffers and the rest: ids, owned bytes, aligned views.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <memory>
#include <string_view>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/ids.h"
#include "schemas/uuid_generated.h"

namespace millrace::wire {

// FlatBuffers scalars must lie on their own alignment; 8 is the largest that the schemas use.
inline constexpr std::size_t kFrameAlignment = 8;

// `bytes` themselves when they start on a multiple of 8, else an aligned copy.
inline SharedBytes aligned(const SharedBytes& bytes) {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % kFrameAlignment == 0) return bytes;
  return SharedBytes::copy_of(bytes.view());
}

// The finished buffer of `builder`, without a copy. Leaves the builder empty.
inline SharedBytes release(flatbuffers::FlatBufferBuilder& builder) {
  auto owner = std::make_shared<flatbuffers::DetachedBuffer>(builder.Release());
  const std::span<const std::uint8_t> view(owner->data(), owner->size());
  return SharedBytes(std::move(owner), view);
}

template <class IdType>
schema::Uuid to_uuid(const IdType& id) {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    high = high << 8 | id.bytes[i];
    low = low << 8 | id.bytes[i + 8];
  }
  return schema::Uuid(high, low);
}

template <class IdType>
IdType to_id(const schema::Uuid& uuid) {
  IdType id;
  for (std::size_t i = 0; i < 8; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(uuid.high() >> (56 - 8 * i));
    id.bytes[i + 8] = static_cast<std::uint8_t>(uuid.low() >> (56 - 8 * i));
  }
  return id;
}

// The nil id for a field that is left out.
template <class IdType>
IdType to_id(const schema::Uuid* uuid) {
  return uuid == nullptr ? IdType() : to_id<IdType>(*uuid);
}

// The empty text for a field that is left out.
inline std::string_view text_of(const flatbuffers::String* text) {
  return text == nullptr ? std::string_view() : std::string_view(text->c_str(), text->size());
}

}  // namespace millrace::wire
