#include "common/base/time.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>

#include "common/base/shown_text.h"

namespace millrace {
namespace {

struct Unit {
  std::string_view suffix;
  std::int64_t nanoseconds;
};
// Longest first, so that to_text finds the shortest exact form and parsing tries "ms" before "m".
constexpr std::array<Unit, 7> kUnits = {{{"d", 86'400'000'000'000},
                                         {"h", 3'600'000'000'000},
                                         {"m", 60'000'000'000},
                                         {"s", 1'000'000'000},
                                         {"ms", 1'000'000},
                                         {"us", 1'000},
                                         {"ns", 1}}};

Error bad_duration(std::string_view text) {
  return {ErrorCode::invalid,
          "'" + shown_text(text) +
              "' is not a duration; write a number and a unit such as 250ms, 10s, "
              "5m, 2h or 7d"};
}

Error bad_time(std::string_view text) {
  return {ErrorCode::invalid,
          "'" + shown_text(text) + "' is not a time; write it as 2026-03-01T12:30:00Z"};
}

// Days since 1970-01-01 of a proleptic Gregorian date (Hinnant, "chrono-Compatible Low-Level Date
// Algorithms").
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = static_cast<unsigned>(year - era * 400);
  const unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + static_cast<std::int64_t>(day_of_era) - 719'468;
}

struct CivilDate {
  std::int64_t year;
  unsigned month;
  unsigned day;
};

CivilDate civil_from_days(std::int64_t days) {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146'097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const unsigned day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned month_index = (5 * day_of_year + 2) / 153;
  const unsigned day = day_of_year - (153 * month_index + 2) / 5 + 1;
  const unsigned month = month_index < 10 ? month_index + 3 : month_index - 9;
  return {static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

unsigned days_in_month(std::int64_t year, unsigned month) {
  constexpr std::array<unsigned, 13> kDays = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month];
}

// Reads exactly `width` digits at `at` and moves past them; false when they are not there.
bool read_digits(std::string_view text, std::size_t& at, std::size_t width, unsigned& value) {
  if (text.size() < at + width) return false;
  value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    const char c = text[at + i];
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  at += width;
  return true;
}

bool read_char(std::string_view text, std::size_t& at, std::string_view allowed) {
  if (at >= text.size() || allowed.find(text[at]) == std::string_view::npos) return false;
  ++at;
  return true;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration();
  std::size_t digits = 0;
  while (digits < text.size() &&
         (std::isdigit(static_cast<unsigned char>(text[digits])) != 0 || text[digits] == '.')) {
    ++digits;
  }
  const std::string_view number = text.substr(0, digits);
  const std::string_view suffix = text.substr(digits);
  const std::size_t dot = number.find('.');
  const std::string_view whole = number.substr(0, dot);
  const std::string_view fraction = dot == std::string_view::npos ? "" : number.substr(dot + 1);
  if (whole.empty() || fraction.size() > 9 || (dot != std::string_view::npos && fraction.empty()) ||
      fraction.find('.') != std::string_view::npos) {
    return bad_duration(text);
  }
  for (const Unit& unit : kUnits) {
    if (unit.suffix != suffix) continue;
    std::int64_t count = 0;
    const auto parsed = std::from_chars(whole.data(), whole.data() + whole.size(), count);
    if (parsed.ec != std::errc() ||
        count > std::numeric_limits<std::int64_t>::max() / 2 / unit.nanoseconds) {
      return bad_duration(text);
    }
    std::int64_t nanoseconds = count * unit.nanoseconds;
    std::int64_t place = unit.nanoseconds;
    for (const char digit : fraction) {
      place /= 10;
      nanoseconds += (digit - '0') * place;
    }
    return Duration::nanoseconds(nanoseconds);
  }
  return bad_duration(text);
}

std::string to_text(Duration duration) {
  const std::int64_t count = duration.in_nanoseconds();
  if (count == 0) return "0";
  for (const Unit& unit : kUnits) {
    if (count % unit.nanoseconds == 0) {
      return std::to_string(count / unit.nanoseconds) + std::string(unit.suffix);
    }
  }
  return std::to_string(count) + "ns";
}

std::string to_rfc3339(Time time) {
  const std::int64_t milliseconds_total = time.since_epoch().in_milliseconds();
  constexpr std::int64_t kDay = 86'400'000;
  std::int64_t days = milliseconds_total / kDay;
  std::int64_t rest = milliseconds_total % kDay;
  if (rest < 0) {
    rest += kDay;
    --days;
  }
  const CivilDate date = civil_from_days(days);
  std::array<char, 64> text{};
  const int length = std::snprintf(
      text.data(), text.size(), "%04lld-%02u-%02uT%02lld:%02lld:%02lld.%03lldZ",
      static_cast<long long>(date.year), date.month, date.day,
      static_cast<long long>(rest / 3'600'000), static_cast<long long>(rest / 60'000 % 60),
      static_cast<long long>(rest / 1'000 % 60), static_cast<long long>(rest % 1'000));
  return {text.data(), static_cast<std::size_t>(length)};
}

Result<Time> parse_rfc3339(std::string_view text) {
  std::size_t at = 0;
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const bool date_and_time = read_digits(text, at, 4, year) && read_char(text, at, "-") &&
                             read_digits(text, at, 2, month) && read_char(text, at, "-") &&
                             read_digits(text, at, 2, day) && read_char(text, at, "Tt ") &&
                             read_digits(text, at, 2, hour) && read_char(text, at, ":") &&
                             read_digits(text, at, 2, minute) && read_char(text, at, ":") &&
                             read_digits(text, at, 2, second);
  if (!date_and_time || year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 ||
      day > days_in_month(year, month) || hour > 23 || minute > 59 || second > 60) {
    return bad_time(text);
  }
  std::int64_t nanoseconds = 0;
  if (read_char(text, at, ".")) {
    std::int64_t place = 100'000'000;
    const std::size_t start = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      nanoseconds += (text[at] - '0') * place;
      place /= 10;
      ++at;
    }
    if (at == start) return bad_time(text);
  }
  std::int64_t offset_minutes = 0;
  if (!read_char(text, at, "Zz")) {
    const bool west = at < text.size() && text[at] == '-';
    unsigned offset_hour = 0, offset_minute = 0;
    if (!read_char(text, at, "+-") || !read_digits(text, at, 2, offset_hour) ||
        !read_char(text, at, ":") || !read_digits(text, at, 2, offset_minute) || offset_hour > 23 ||
        offset_minute > 59) {
      return bad_time(text);
    }
    offset_minutes = static_cast<std::int64_t>(offset_hour * 60 + offset_minute) * (west ? -1 : 1);
  }
  if (at != text.size()) return bad_time(text);
  const std::int64_t days = days_from_civil(static_cast<std::int64_t>(year), month, day);
  const std::int64_t seconds = days * 86'400 + static_cast<std::int64_t>(hour) * 3'600 +
                               static_cast<std::int64_t>(minute) * 60 +
                               static_cast<std::int64_t>(second) - offset_minutes * 60;
  return Time::since_epoch(Duration::seconds(seconds) + Duration::nanoseconds(nanoseconds));
}

}  // namespace millrace
