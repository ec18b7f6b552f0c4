// Reads the fields of one verified message under the rules of docs/protocol.md and remembers the
// first broken one, so that a decoder reads as the list of its fields.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/messages.h"
#include "common/wire/bundle.h"
#include "common/wire/flatbuffer_bytes.h"
#include "schemas/control_generated.h"

namespace millrace::wire {

using UuidVector = flatbuffers::Vector<const schema::Uuid*>;
using LeaseVector = flatbuffers::Vector<const schema::HeldLease*>;
using StringVector = flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>;

// Bytes of a worker's name, a version or another short name.
inline constexpr std::size_t kNameBytesMost = 128;
// Leases in one WorkerHello: above any sensible credit, so that a worker can always come back to a
// broker whose limits were lowered.
inline constexpr std::size_t kHoldingMost = 100'000;

// Elements of a vector that may be left out.
template <class Vector>
std::size_t count_of(const Vector* vector) {
  return vector == nullptr ? 0 : vector->size();
}

// After the first broken rule every read returns something harmless.
class FieldReader {
 public:
  FieldReader(const PeerLimits& limits, SharedBytes bundle)
      : limits_(limits), bundle_(std::move(bundle)) {}

  const PeerLimits& limits() const { return limits_; }
  bool failed() const { return problem_.has_value(); }
  void refuse(ErrorCode code, std::string message);

  // `value`, or the problem when there is one: how a decoder ends. Also refuses a bundle of which
  // something is left.
  template <class Message>
  Result<Message> finish(Message value) {
    if (!failed() && !bundle_.at_end()) {
      refuse(ErrorCode::invalid, "bundle is longer than the lengths in the control frame say");
    }
    if (problem_.has_value()) return *problem_;
    return value;
  }

  // The structs of the vector lie where the processor may read them: the verifier of FlatBuffers
  // checks that of fields, but not of the elements of a vector. To be checked before the first
  // read.
  template <class Struct>
  void check_alignment(const flatbuffers::Vector<const Struct*>* vector, const char* field) {
    if (count_of(vector) == 0) return;
    if (reinterpret_cast<std::uintptr_t>(vector->Data()) % alignof(Struct) == 0) return;
    refuse(ErrorCode::invalid, std::string(field) + " is not aligned to " +
                                   std::to_string(alignof(Struct)) +
                                   " bytes; build frames with a FlatBuffers library");
  }

  // Not more than `most` elements.
  void check_count(std::size_t count, std::size_t most, const char* field);

  // Of a message that is answered: from 1.
  RequestId request(std::uint64_t number);
  // Not nil.
  template <class IdType>
  IdType id(const schema::Uuid* uuid, const char* field) {
    const auto read = to_id<IdType>(uuid);
    if (read.is_nil()) refuse(ErrorCode::invalid, std::string(field) + " is missing or nil");
    return read;
  }
  std::vector<TaskId> ids(const UuidVector* ids, std::size_t most, const char* field);
  std::vector<HeldLease> leases(const LeaseVector* leases, std::size_t most, const char* field);

  // A number within [least, most].
  template <class Number>
  Number number(Number value, Number least, Number most, const char* field) {
    if (value < least || value > most) refuse_range(field, value, least, most);
    return value;
  }
  // One of the values [first, last] of an enum, by its number.
  template <class Enum, class Raw>
  Enum word(Raw raw, Enum first, Enum last, const char* field) {
    const auto value = static_cast<std::uint64_t>(raw);
    const auto least = static_cast<std::uint64_t>(first);
    const auto most = static_cast<std::uint64_t>(last);
    if (value >= least && value <= most) return static_cast<Enum>(value);
    refuse_range(field, value, least, most);
    return first;
  }
  // 0 to ten years; a negative one counts as 0.
  static Duration duration(std::int64_t nanoseconds);
  static Time time(std::int64_t nanoseconds) {
    return Time::since_epoch(Duration::nanoseconds(nanoseconds < 0 ? 0 : nanoseconds));
  }

  std::string queue_name(const flatbuffers::String* text, const char* field);
  // Empty, or a queue's name.
  std::string optional_queue_name(const flatbuffers::String* text, const char* field);
  // 1 to 128 bytes of UTF-8 without control characters.
  std::string name(const flatbuffers::String* text, const char* field);
  // As name, or empty.
  std::string optional_name(const flatbuffers::String* text, const char* field);
  // Text for people: ill-formed UTF-8 is replaced and at most error_bytes_max from the end are
  // kept.
  std::string message(std::string_view text) const;
  std::string message(const flatbuffers::String* text) const { return message(text_of(text)); }

  // The next part of the bundle.
  SharedBytes part(std::uint32_t length, const char* field);

 private:
  template <class Number>
  void refuse_range(const char* field, Number value, Number least, Number most) {
    refuse(ErrorCode::invalid, std::string(field) + " is " + std::to_string(value) +
                                   "; it must be " + std::to_string(least) + " to " +
                                   std::to_string(most));
  }

  const PeerLimits& limits_;
  BundleReader bundle_;
  std::optional<Error> problem_;
};

// Reads texts that stand one after the other in a message's `errors`.
class ErrorTexts {
 public:
  ErrorTexts(FieldReader& reader, const flatbuffers::Vector<std::uint8_t>* errors);
  std::string next(std::uint32_t length);
  // Refuses what no item claims.
  void finish();

 private:
  FieldReader& reader_;
  std::string_view rest_;
};

}  // namespace millrace::wire
