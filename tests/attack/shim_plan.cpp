#include "tests/attack/shim_plan.h"

#include <sys/uio.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace millrace::attack {
namespace {

constexpr std::array<const char*, 8> kCallNames = {"none", "open", "write", "sync",
                                                   "size", "map",  "name",  "memory"};

Plan the_plan;
std::atomic<std::uint64_t> seen{0};
std::atomic<int> recording{-1};
std::atomic_flag recording_busy;

bool is(const char* text, const char* other) {
  return text != nullptr && std::strcmp(text, other) == 0;
}

Mode mode_named(const char* name) {
  if (is(name, "crash-before")) return Mode::crash_before;
  if (is(name, "crash-within")) return Mode::crash_within;
  if (is(name, "crash-after")) return Mode::crash_after;
  if (is(name, "fail")) return Mode::fail;
  if (is(name, "short")) return Mode::cut_short;
  if (is(name, "record")) return Mode::record;
  return Mode::off;
}

__attribute__((constructor)) void begin() {
  the_plan.directory = std::getenv("MILLRACE_ATTACK_DIRECTORY");
  the_plan.report = std::getenv("MILLRACE_ATTACK_REPORT");
  const char* calls = std::getenv("MILLRACE_ATTACK_CALLS");
  for (std::size_t i = 0; i < kCallNames.size(); ++i) {
    if (is(calls, kCallNames[i])) the_plan.calls = static_cast<Calls>(i);
  }
  if (const char* text = std::getenv("MILLRACE_ATTACK_NUMBER")) {
    the_plan.number = std::strtoull(text, nullptr, 10);
  }
  if (const char* text = std::getenv("MILLRACE_ATTACK_ERROR")) the_plan.error = std::atoi(text);
  the_plan.lasting = std::getenv("MILLRACE_ATTACK_LASTING") != nullptr;
  if (the_plan.directory == nullptr) return;
  the_plan.mode = mode_named(std::getenv("MILLRACE_ATTACK"));
  if (the_plan.mode == Mode::record && the_plan.report != nullptr) {
    recording = open_really(the_plan.report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  }
}

void tell(const char* what, std::uint64_t number) {
  if (the_plan.report == nullptr) return;
  std::array<char, 64> line{};
  const int size = std::snprintf(line.data(), line.size(), "%s %llu\n", what,
                                 static_cast<unsigned long long>(number));
  const int file = open_really(the_plan.report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  write_really(file, line.data(), static_cast<std::size_t>(size));
  ::syscall(SYS_close, file);
}

std::uint64_t monotonic_nanoseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

// How many there were, of a run that came to its end.
__attribute__((destructor)) void end() {
  if (the_plan.mode == Mode::fail && seen < the_plan.number) tell("calls", seen);
}

bool counts(Calls calls) {
  switch (the_plan.mode) {
    case Mode::crash_before:
    case Mode::crash_after:
      return calls != Calls::map && calls != Calls::memory;
    case Mode::fail:
      return calls == the_plan.calls;
    case Mode::crash_within:
    case Mode::cut_short:
      return calls == Calls::write;
    default:
      return false;
  }
}

}  // namespace

const Plan& plan() {
  return the_plan;
}

Fate fate_of(Calls calls) {
  if (!counts(calls)) return Fate::real;
  const std::uint64_t number = ++seen;
  if (number != the_plan.number && !(the_plan.lasting && number > the_plan.number))
    return Fate::real;
  if (number == the_plan.number) tell("failed", monotonic_nanoseconds());
  switch (the_plan.mode) {
    case Mode::crash_before:
      return Fate::dies_before;
    case Mode::crash_within:
      return Fate::dies_within;
    case Mode::crash_after:
      return Fate::dies_after;
    case Mode::cut_short:
      return Fate::is_cut_short;
    default:
      return Fate::fails;
  }
}

[[noreturn]] void die() {
  ::syscall(SYS_kill, ::syscall(SYS_getpid), SIGKILL);
  while (true) ::pause();
}

bool is_recording() {
  return recording >= 0;
}

void record(const RecordedCall& call, const void* bytes) {
  const int file = recording;
  if (file < 0) return;
  std::array<iovec, 2> parts = {
      {{const_cast<RecordedCall*>(&call), sizeof(call)}, {const_cast<void*>(bytes), call.bytes}}};
  while (recording_busy.test_and_set()) {
  }
  ::syscall(SYS_writev, file, parts.data(), parts.size());
  recording_busy.clear();
}

}  // namespace millrace::attack
