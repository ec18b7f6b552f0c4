// Time and durations as strong types with nanosecond units. There is no clock here: time comes in
// from outside (common/host/clock.h, or a simulator).
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace millrace {

// A length of time in nanoseconds; may be negative. Range about ±292 years.
class Duration {
 public:
  constexpr Duration() = default;
  static constexpr Duration nanoseconds(std::int64_t count) { return Duration(count); }
  static constexpr Duration microseconds(std::int64_t count) { return Duration(count * 1'000); }
  static constexpr Duration milliseconds(std::int64_t count) { return Duration(count * 1'000'000); }
  static constexpr Duration seconds(std::int64_t count) { return Duration(count * 1'000'000'000); }
  static constexpr Duration minutes(std::int64_t count) { return seconds(count * 60); }
  static constexpr Duration hours(std::int64_t count) { return seconds(count * 3'600); }
  static constexpr Duration days(std::int64_t count) { return hours(count * 24); }

  constexpr std::int64_t in_nanoseconds() const { return nanoseconds_; }
  constexpr std::int64_t in_microseconds() const { return nanoseconds_ / 1'000; }
  constexpr std::int64_t in_milliseconds() const { return nanoseconds_ / 1'000'000; }
  constexpr double in_seconds() const { return static_cast<double>(nanoseconds_) / 1e9; }

  constexpr auto operator<=>(const Duration&) const = default;
  constexpr Duration operator+(Duration other) const {
    return Duration(nanoseconds_ + other.nanoseconds_);
  }
  constexpr Duration operator-(Duration other) const {
    return Duration(nanoseconds_ - other.nanoseconds_);
  }
  constexpr Duration operator*(std::int64_t factor) const {
    return Duration(nanoseconds_ * factor);
  }
  constexpr Duration operator/(std::int64_t divisor) const {
    return Duration(nanoseconds_ / divisor);
  }
  constexpr Duration& operator+=(Duration other) {
    nanoseconds_ += other.nanoseconds_;
    return *this;
  }

 private:
  explicit constexpr Duration(std::int64_t count) : nanoseconds_(count) {}
  std::int64_t nanoseconds_ = 0;
};

// A point in time: nanoseconds since the Unix epoch, on a clock that never runs backwards within a
// process (see common/host/clock.h). The default value is the epoch and stands for "none" where a
// field says so.
class Time {
 public:
  constexpr Time() = default;
  static constexpr Time since_epoch(Duration duration) { return Time(duration.in_nanoseconds()); }
  static constexpr Time never() { return Time(std::numeric_limits<std::int64_t>::max()); }

  constexpr Duration since_epoch() const { return Duration::nanoseconds(nanoseconds_); }
  constexpr bool is_none() const { return nanoseconds_ == 0; }

  constexpr auto operator<=>(const Time&) const = default;
  // Saturates at never(), so that a very long delay is a very late time and not a wrap-around.
  constexpr Time operator+(Duration duration) const {
    const std::int64_t step = duration.in_nanoseconds();
    if (step > 0 && nanoseconds_ > std::numeric_limits<std::int64_t>::max() - step) return never();
    return Time(nanoseconds_ + step);
  }
  constexpr Time operator-(Duration duration) const {
    return Time(nanoseconds_ - duration.in_nanoseconds());
  }
  constexpr Duration operator-(Time other) const {
    return Duration::nanoseconds(nanoseconds_ - other.nanoseconds_);
  }

 private:
  explicit constexpr Time(std::int64_t count) : nanoseconds_(count) {}
  std::int64_t nanoseconds_ = 0;
};

// Reads "250ms", "10s", "5m", "2h", "7d" or "0". Digits may carry one decimal point ("1.5s").
// Errors: invalid, with a line that shows the text and the accepted forms.
Result<Duration> parse_duration(std::string_view text);

// The shortest exact form that parse_duration reads back, e.g. "1500ms", "2h".
std::string to_text(Duration duration);

// "2026-03-01T12:30:00.250Z" (RFC 3339, UTC, milliseconds).
std::string to_rfc3339(Time time);

// Reads RFC 3339 with "Z" or a numeric offset, with or without fractional seconds.
// Errors: invalid, with the text and an example.
Result<Time> parse_rfc3339(std::string_view text);

}  // namespace millrace
