// SIGINT and SIGTERM as a descriptor that a loop can poll. SIGPIPE is ignored.
#pragma once

#include <csignal>

#include "common/base/result.h"

namespace millrace::host {

// Make it first in main, before any thread: the signals are blocked in this thread and in those
// made later, and read from the descriptor instead (signalfd). Not copyable.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  int descriptor() const { return descriptor_; }
  // How many stop signals have come so far; never blocks. Signals of a kind that come between two
  // calls may count as one.
  int count();

  // For a child between fork and exec: SIGINT and SIGTERM are delivered and SIGPIPE kills again, as
  // a program expects at its start. Async-signal-safe.
  static void unblock_in_child();

 private:
  int descriptor_ = -1;
  int count_ = 0;
  sigset_t mask_before_{};
};

}  // namespace millrace::host
