// How many tasks a worker wants beyond its slots, so that tiny tasks need not wait for the broker's
// commit and long ones are not held back from idle workers. Pure.
#pragma once

#include <cstdint>

#include "common/base/time.h"

namespace millrace::worker {

// The backlog follows the measured handler time: about what all slots finish in 20 ms, doubled (up
// to ten times that) whenever the local queue ran empty while such tasks flowed, and none at all
// for tasks of 100 ms and more. Not thread-safe.
class Prefetch {
 public:
  Prefetch(std::uint32_t slots, std::uint32_t tasks_max) : slots_(slots), tasks_max_(tasks_max) {}

  // A handler ran for `elapsed`.
  void observe(Duration elapsed);
  // The broker sent work.
  void refilled() { may_grow_ = true; }
  // A slot found nothing to do. Grows at most once per refill.
  void ran_empty();
  // A prefetched task waited too long: ask for none until a handler has ended again.
  void hold() { held_ = true; }

  // The wish now: 0 to tasks_max.
  std::uint32_t tasks() const { return held_ ? 0 : tasks_; }
  // How many tasks the slots together finish in `time`, at most `most`; 0 before the first
  // measurement and for tasks of 100 ms and more.
  std::uint32_t finished_in(Duration time, std::uint32_t most) const;

 private:
  void fit();

  std::uint32_t slots_;
  std::uint32_t tasks_max_;
  std::uint32_t tasks_ = 0;
  Duration mean_;  // exponentially weighted; zero before the first measurement
  bool may_grow_ = false;
  bool held_ = false;
};

}  // namespace millrace::worker
