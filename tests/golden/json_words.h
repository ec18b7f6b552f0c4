// How single values are written in the JSON of a fixture.
#pragma once

#include "tests/golden/sample_json.h"

namespace millrace::golden {

// 64-bit numbers are texts: a JSON number does not hold them everywhere.
template <class Integer>
Json wide(Integer number) {
  return std::to_string(number);
}
inline Json json_of(Duration duration) {
  return wide(duration.in_nanoseconds());
}
inline Json json_of(Time time) {
  return wide(time.since_epoch().in_nanoseconds());
}
template <class Tag>
Json json_of(const Number<Tag>& number) {
  return wide(number.value);
}
template <class Tag>
Json json_of(const Id128<Tag>& id) {
  return to_text(id);
}
std::string base64(const SharedBytes& bytes);

Json ids_of(const std::vector<TaskId>& ids);
Json leases_of(const std::vector<HeldLease>& leases);
Json json_of(const Endpoints& endpoints);
Json json_of(const PeerLimits& limits);
Json json_of(const Refused& refused);

// Words of the schema; "unset" or the number for what has none.
std::string word(ErrorCode code);
std::string word(TaskState state);
std::string word(Outcome outcome);
std::string word(Reason reason);

}  // namespace millrace::golden
