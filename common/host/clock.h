// The only clock: wall time that never runs backwards. It is read once at start and carried on by
// the steady clock, so that a jump of the system's clock moves no deadline.
#pragma once

#include "common/base/time.h"

namespace millrace::host {

class Clock {
 public:
  Clock();
  // Nanoseconds since the Unix epoch; never less than the call before. Thread-safe.
  Time now() const;

 private:
  Duration offset_;  // from the steady clock to the Unix epoch
};

}  // namespace millrace::host
