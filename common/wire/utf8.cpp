#include "common/wire/utf8.h"

#include <cstddef>
#include <cstdint>

namespace millrace {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

bool is_continuation(std::uint8_t byte) {
  return (byte & 0xc0) == 0x80;
}

struct Sequence {
  std::size_t length;  // bytes of the character, or of the maximal ill-formed part
  bool well_formed;
};

// The character that starts at `at`: Unicode 15.0, table 3-7.
Sequence sequence_at(std::string_view text, std::size_t at) {
  const std::uint8_t lead = byte_at(text, at);
  if (lead < 0x80) return {1, true};
  if (lead < 0xc2 || lead > 0xf4) return {1, false};
  const std::size_t length = lead < 0xe0 ? 2 : (lead < 0xf0 ? 3 : 4);
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xbf;
  if (lead == 0xe0) low = 0xa0;   // overlong below
  if (lead == 0xed) high = 0x9f;  // surrogates above
  if (lead == 0xf0) low = 0x90;   // overlong below
  if (lead == 0xf4) high = 0x8f;  // beyond U+10FFFF above
  for (std::size_t i = 1; i < length; ++i) {
    if (at + i >= text.size()) return {i, false};
    const std::uint8_t byte = byte_at(text, at + i);
    if (byte < low || byte > high) return {i, false};
    low = 0x80;
    high = 0xbf;
  }
  return {length, true};
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Sequence sequence = sequence_at(text, at);
    if (!sequence.well_formed) return false;
    at += sequence.length;
  }
  return true;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string replaced;
  replaced.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Sequence sequence = sequence_at(text, at);
    if (sequence.well_formed) {
      replaced.append(text.substr(at, sequence.length));
    } else {
      replaced.append("\xef\xbf\xbd");
    }
    at += sequence.length;
  }
  return replaced;
}

std::string_view last_bytes_of_utf8(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  text.remove_prefix(text.size() - bytes_max);
  // At most three: what follows more continuation bytes than that was not UTF-8 to begin with.
  for (int i = 0; i < 3 && !text.empty() && is_continuation(byte_at(text, 0)); ++i) {
    text.remove_prefix(1);
  }
  return text;
}

bool has_control_characters(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x20 || byte == 0x7f) return true;
  }
  return false;
}

}  // namespace millrace
