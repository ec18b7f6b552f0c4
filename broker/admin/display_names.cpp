#include "broker/admin/display_names.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace millrace::broker {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<std::uint8_t>(text[at]) : std::uint8_t{0};
}

// The length of the well-formed sequence at `at`, or 0; RFC 3629 section 4.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const std::uint8_t lead = byte_at(text, at);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  std::uint8_t second_low = 0x80;
  std::uint8_t second_high = 0xbf;
  if (lead == 0xe0) second_low = 0xa0;   // overlong
  if (lead == 0xed) second_high = 0x9f;  // surrogates
  if (lead == 0xf0) second_low = 0x90;   // overlong
  if (lead == 0xf4) second_high = 0x8f;  // above U+10FFFF
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const std::uint8_t second = byte_at(text, at + 1);
  if (second < second_low || second > second_high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte_at(text, at + i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::string as_utf8(std::string_view text) {
  static constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  std::string valid;
  valid.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    valid.append(length == 0 ? kReplacement : text.substr(at, length));
    at += length == 0 ? 1 : length;
  }
  return valid;
}

std::vector<std::string> worker_keys(const std::vector<WorkerStatus>& workers) {
  std::set<std::string> taken;
  std::map<std::string, std::size_t> copies;  // by name, so that many of one name stay cheap
  std::vector<std::string> keys;
  keys.reserve(workers.size());
  for (const WorkerStatus& worker : workers) {
    const std::string name = as_utf8(worker.name);
    std::size_t& copy = copies[name];
    std::string key = ++copy == 1 ? name : name + "#" + std::to_string(copy);
    while (!taken.insert(key).second) key = name + "#" + std::to_string(++copy);
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace millrace::broker
