// SIGHUP as a descriptor that a loop can poll: the wish that files be read again.
#pragma once

#include <csignal>

namespace millrace::host {

// Make it before any thread that lives beside it, as StopSignal. Not copyable.
class ReloadSignal {
 public:
  ReloadSignal();
  ~ReloadSignal();
  ReloadSignal(const ReloadSignal&) = delete;
  ReloadSignal& operator=(const ReloadSignal&) = delete;

  int descriptor() const { return descriptor_; }
  // True once after the signal came, however often; never blocks.
  bool take();

 private:
  int descriptor_ = -1;
  sigset_t mask_before_{};
};

}  // namespace millrace::host
