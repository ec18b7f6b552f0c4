// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF. Pure
// functions; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace millrace {

// True when all of `text` is well-formed UTF-8. NUL and control characters are well-formed.
bool is_utf8(std::string_view text);

// `text` with every maximal ill-formed part replaced by U+FFFD (Unicode, section 3.9, "substitution
// of maximal subparts"), for text of arbitrary programs that must go into JSON or logs.
std::string replace_invalid_utf8(std::string_view text);

// The longest end of `text` of at most `bytes_max` bytes that does not start inside a character.
std::string_view last_bytes_of_utf8(std::string_view text, std::size_t bytes_max);

// True when a byte of `text` is a control character of ASCII (0-31 or 127).
bool has_control_characters(std::string_view text);

}  // namespace millrace
