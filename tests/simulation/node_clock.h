// The clocks of one host, read as common/host/clock.h reads them: a process takes the wall clock
// once, when it starts, and carries it on with its steady clock. Wall clocks are wrong and may be
// set at any time; steady clocks of different hosts run at slightly different speeds.
#pragma once

#include "common/base/time.h"
#include "tests/simulation/plan.h"
#include "tests/simulation/world.h"

namespace millrace::simulation {

class NodeClock {
 public:
  // The wall clock is off by `error`; the steady clock gains `drift` nanoseconds a millisecond.
  NodeClock(World& world, Duration error, std::int64_t drift);

  // A process starts and reads the wall clock.
  void start_process();
  // What the process sees.
  Time now() const;
  // The first true time at which now() has reached `shown`; never() stays never().
  Time when(Time shown) const;

  // Somebody sets the wall clock. A process that runs does not notice.
  void set_error(Duration error) { error_ = error; }
  Duration error() const { return error_; }
  // How far off the running process is.
  Duration error_of_process() const { return now() - world_.now(); }
  // For a mutant: from now on every reading is of the wall clock.
  void follow_the_wall_clock() { follows_ = true; }

 private:
  Time steady(Time true_time) const;

  World& world_;
  Duration error_;
  std::int64_t drift_;
  bool follows_ = false;
  Time started_;  // true time
  Time anchor_;   // what the wall clock showed then
};

// Of a host whose wall clock is some days off at most: nobody compares it with another.
NodeClock draw_clock(World& world, const Plan& plan);
std::int64_t draw_drift(World& world, const Plan& plan);

}  // namespace millrace::simulation
