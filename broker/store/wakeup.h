// A file descriptor that one thread makes readable to wake another one's poll: eventfd(2).
#pragma once

#include <utility>

#include "common/base/result.h"

namespace millrace::broker {

class Wakeup {
 public:
  // Errors: io, when the process may open no more files.
  static Result<Wakeup> open();

  Wakeup(Wakeup&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Wakeup& operator=(Wakeup&&) = delete;
  ~Wakeup();

  // Readable from signal() to acknowledge(); never blocks anyone. Any thread.
  int descriptor() const { return descriptor_; }
  void signal() const;
  void acknowledge() const;

 private:
  explicit Wakeup(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace millrace::broker
