#include "common/wire/field_reader.h"

#include <algorithm>

#include "common/wire/task_codec.h"
#include "common/wire/utf8.h"

namespace millrace::wire {

void FieldReader::refuse(ErrorCode code, std::string message) {
  if (!problem_.has_value()) problem_ = Error{code, std::move(message)};
}

void FieldReader::check_count(std::size_t count, std::size_t most, const char* field) {
  if (count <= most) return;
  refuse(ErrorCode::too_large, std::string(field) + " has " + std::to_string(count) +
                                   " items; at most " + std::to_string(most) +
                                   " are allowed, so send several messages");
}

RequestId FieldReader::request(std::uint64_t number) {
  if (number == 0) refuse(ErrorCode::invalid, "request is missing; number requests from 1");
  return RequestId(number);
}

std::vector<TaskId> FieldReader::ids(const UuidVector* ids, std::size_t most, const char* field) {
  std::vector<TaskId> read;
  check_count(count_of(ids), most, field);
  check_alignment(ids, field);
  if (failed() || ids == nullptr) return read;
  read.reserve(ids->size());
  for (const schema::Uuid* uuid : *ids) read.push_back(id<TaskId>(uuid, field));
  return read;
}

std::vector<HeldLease> FieldReader::leases(const LeaseVector* leases, std::size_t most,
                                           const char* field) {
  std::vector<HeldLease> read;
  check_count(count_of(leases), most, field);
  check_alignment(leases, field);
  if (failed() || leases == nullptr) return read;
  read.reserve(leases->size());
  for (const schema::HeldLease* lease : *leases) {
    read.push_back({id<TaskId>(&lease->task(), field), Fence(lease->fence())});
  }
  return read;
}

Duration FieldReader::duration(std::int64_t nanoseconds) {
  return std::clamp(Duration::nanoseconds(nanoseconds), Duration(), kTaskDurationMost);
}

std::string FieldReader::queue_name(const flatbuffers::String* text, const char* field) {
  const std::string_view name = text_of(text);
  if (!is_queue_name(name, limits_)) {
    refuse(ErrorCode::invalid, std::string(field) + " must be 1 to " +
                                   std::to_string(limits_.queue_name_bytes_max) +
                                   " characters of A-Z a-z 0-9 . _ : / -");
    return {};
  }
  return std::string(name);
}

std::string FieldReader::optional_queue_name(const flatbuffers::String* text, const char* field) {
  return text_of(text).empty() ? std::string() : queue_name(text, field);
}

std::string FieldReader::name(const flatbuffers::String* text, const char* field) {
  if (text_of(text).empty()) {
    refuse(ErrorCode::invalid, std::string(field) + " is missing or empty");
    return {};
  }
  return optional_name(text, field);
}

std::string FieldReader::optional_name(const flatbuffers::String* text, const char* field) {
  const std::string_view name = text_of(text);
  if (name.size() > kNameBytesMost || !is_utf8(name) || has_control_characters(name)) {
    refuse(ErrorCode::invalid, std::string(field) + " must be at most " +
                                   std::to_string(kNameBytesMost) +
                                   " bytes of UTF-8 without control characters");
    return {};
  }
  return std::string(name);
}

std::string FieldReader::message(std::string_view text) const {
  const std::string_view end =
      last_bytes_of_utf8(text, static_cast<std::size_t>(limits_.error_bytes_max.value));
  if (is_utf8(end)) return std::string(end);
  // A replacement character is longer than what it may replace: cut once more.
  const std::string replaced = replace_invalid_utf8(end);
  return std::string(
      last_bytes_of_utf8(replaced, static_cast<std::size_t>(limits_.error_bytes_max.value)));
}

SharedBytes FieldReader::part(std::uint32_t length, const char* field) {
  if (failed()) return {};
  std::optional<SharedBytes> part = bundle_.take(length);
  if (!part.has_value()) {
    refuse(ErrorCode::invalid, std::string(field) + " goes beyond the end of the bundle");
    return {};
  }
  return std::move(*part);
}

ErrorTexts::ErrorTexts(FieldReader& reader, const flatbuffers::Vector<std::uint8_t>* errors)
    : reader_(reader) {
  if (errors == nullptr) return;
  rest_ = std::string_view(reinterpret_cast<const char*>(errors->data()), errors->size());
}

std::string ErrorTexts::next(std::uint32_t length) {
  if (length == 0) return {};
  if (length > rest_.size()) {
    reader_.refuse(ErrorCode::invalid, "error_bytes goes beyond the end of errors");
    return {};
  }
  const std::string_view text = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return reader_.message(text);
}

void ErrorTexts::finish() {
  if (!rest_.empty()) {
    reader_.refuse(ErrorCode::invalid, "errors is longer than the lengths of the items say");
  }
}

}  // namespace millrace::wire
