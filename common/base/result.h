// Operating errors as values. Nothing in Millrace throws across a folder's seam.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "common/base/check.h"

namespace millrace {

// The field's words for what can go wrong; the same names stand on the wire, in JSON and in docs.
// The numbers are on the wire: append only.
enum class ErrorCode : std::uint8_t {
  invalid = 1,          // the request breaks a rule; sending it again will not help
  too_large = 2,        // over a named limit
  not_found = 3,        // no such task, queue or worker
  conflict = 4,         // the id is taken by a task with other content
  busy = 5,             // over capacity now; try again after `retry_after`
  store_full = 6,       // the disk or the map is nearly full; running tasks may still finish
  shutting_down = 7,    // the broker is stopping
  unsupported = 8,      // unknown message or protocol version
  unknown_session = 9,  // say hello (again) first
  stale_lease = 10,     // the fence is not the task's current one; nothing was changed
  unavailable = 11,     // no answer in time: done or not done is unknown
  io = 12,              // the operating system or the store failed
  corrupt = 13,         // stored bytes fail their checksum or their format
  misconfigured = 14,   // a flag, variable or file has a value that cannot be used
  forbidden = 15,       // the key of the connection does not allow it; nothing was changed
};

// The wire name of `code`, e.g. "stale_lease"; "unknown" for a number that is not listed.
constexpr const char* name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid:
      return "invalid";
    case ErrorCode::too_large:
      return "too_large";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::busy:
      return "busy";
    case ErrorCode::store_full:
      return "store_full";
    case ErrorCode::shutting_down:
      return "shutting_down";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::unknown_session:
      return "unknown_session";
    case ErrorCode::stale_lease:
      return "stale_lease";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::io:
      return "io";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::misconfigured:
      return "misconfigured";
    case ErrorCode::forbidden:
      return "forbidden";
  }
  return "unknown";
}

// What is wrong and, in `message`, one line for a person that also says what to do.
struct Error {
  ErrorCode code = ErrorCode::invalid;
  std::string message;
  friend bool operator==(const Error&, const Error&) = default;
};

// A value or an Error. `T` must not be Error. Reading the side that is not there aborts.
template <class T>
class [[nodiscard]] Result {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): a function returns the value itself
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor): or the error itself
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  const T& value() const& {
    MILLRACE_CHECK(ok(), "value() of a failed Result");
    return std::get<0>(state_);
  }
  T& value() & {
    MILLRACE_CHECK(ok(), "value() of a failed Result");
    return std::get<0>(state_);
  }
  T&& value() && {
    MILLRACE_CHECK(ok(), "value() of a failed Result");
    return std::get<0>(std::move(state_));
  }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  const Error& error() const {
    MILLRACE_CHECK(!ok(), "error() of a Result that holds a value");
    return std::get<1>(state_);
  }

 private:
  std::variant<T, Error> state_;
};

// Success without a value.
struct Done {
  friend bool operator==(const Done&, const Done&) = default;
};
using Status = Result<Done>;

}  // namespace millrace
