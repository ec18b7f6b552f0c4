// What a fuzz target demands. Not MILLRACE_CHECK, so that a broken property is told from a broken
// invariant of the code under test.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/wire/utf8.h"

namespace millrace::fuzz {

// Ends the process with `what` and, for the reader, `shown`.
inline void require(bool holds, const char* what, std::string_view shown = {}) {
  if (holds) return;
  std::fprintf(stderr, "broken property: %s: %s\n", what, std::string(shown).c_str());
  std::abort();
}

// An error is for a person: one line of text, whatever the input was.
inline void require_readable(std::string_view message) {
  require(!message.empty(), "an error has a text");
  require(is_utf8(message), "an error is UTF-8", message);
  require(!has_control_characters(message), "an error is one line of text", message);
}

}  // namespace millrace::fuzz
