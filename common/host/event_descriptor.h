// A flag that a thread can wait for in poll (eventfd(2)).
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace millrace::host {

// Thread-safe. Not copyable.
class EventDescriptor {
 public:
  EventDescriptor() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~EventDescriptor() {
    if (ok()) ::close(descriptor_);
  }
  EventDescriptor(const EventDescriptor&) = delete;
  EventDescriptor& operator=(const EventDescriptor&) = delete;

  // False when the process had no descriptor left; raise() and clear() then do nothing.
  bool ok() const { return descriptor_ >= 0; }
  // Readable from raise() to clear().
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

}  // namespace millrace::host
