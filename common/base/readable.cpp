#include "common/base/readable.h"

#include <algorithm>

namespace millrace {

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string age_text(Duration age) {
  const std::int64_t tenths = std::max<std::int64_t>(0, age.in_milliseconds() / 100);
  const std::int64_t seconds = tenths / 10;
  if (tenths == 0) return "0 s";
  if (seconds < 10) return std::to_string(seconds) + "." + std::to_string(tenths % 10) + " s";
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 7'200) return std::to_string(seconds / 60) + " min";
  if (seconds < 172'800) return std::to_string(seconds / 3'600) + " h";
  return std::to_string(seconds / 86'400) + " d";
}

}  // namespace millrace
