// Always-on checks for programmer errors. An operating error (bad input, full disk, lost peer) is a
// `Result` instead: see result.h.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace millrace {

// Prints one line and aborts. Never returns. Thread-safe.
[[noreturn]] inline void check_failed(const char* condition, const char* file, int line,
                                      const char* reason) {
  std::fprintf(stderr, "millrace: broken invariant: %s (%s) at %s:%d\n", reason, condition, file,
               line);
  std::abort();
}

}  // namespace millrace

// Aborts unless `condition` holds; stays on in release builds. `reason` says what must be true.
#define MILLRACE_CHECK(condition, reason) \
  (static_cast<bool>(condition)           \
       ? static_cast<void>(0)             \
       : ::millrace::check_failed(#condition, __FILE__, __LINE__, reason))
