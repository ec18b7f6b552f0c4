// What the preloaded shim is to do, and the calls behind it.
#pragma once

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "tests/attack/recording_format.h"

namespace millrace::attack {

enum class Calls { none, open, write, sync, size, map, name, memory };
enum class Mode { off, crash_before, crash_within, crash_after, fail, cut_short, record };
enum class Fate { real, fails, is_cut_short, dies_before, dies_within, dies_after };

// What its environment says; see shim.cpp.
struct Plan {
  Mode mode = Mode::off;
  Calls calls = Calls::none;
  std::uint64_t number = 0;
  bool lasting = false;
  int error = EIO;
  const char* directory = nullptr;
  const char* report = nullptr;
};
const Plan& plan();

// Counts a call and says what becomes of it.
Fate fate_of(Calls calls);
[[noreturn]] void die();

// Writes a call down, while that is the plan.
bool is_recording();
void record(const RecordedCall& call, const void* bytes);

// The system's own calls, past those that the shim stands for.
inline int open_really(const char* path, int flags, mode_t mode) {
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}
inline ssize_t write_really(int file, const void* bytes, std::size_t size) {
  return static_cast<ssize_t>(::syscall(SYS_write, file, bytes, size));
}

}  // namespace millrace::attack
