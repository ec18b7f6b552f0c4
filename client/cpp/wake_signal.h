// Wakes a thread that waits in poll (eventfd(2)).
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace millrace::client {

// Thread-safe. Not copyable.
class WakeSignal {
 public:
  WakeSignal() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~WakeSignal() {
    if (ok()) ::close(descriptor_);
  }
  WakeSignal(const WakeSignal&) = delete;
  WakeSignal& operator=(const WakeSignal&) = delete;

  // False when the process has no descriptor left.
  bool ok() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

  void raise() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
  }
  void clear() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto read = ::read(descriptor_, &count, sizeof count);
  }

 private:
  int descriptor_;
};

}  // namespace millrace::client
