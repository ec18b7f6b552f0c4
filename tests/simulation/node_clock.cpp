#include "tests/simulation/node_clock.h"

namespace millrace::simulation {

NodeClock::NodeClock(World& world, Duration error, std::int64_t drift)
    : world_(world), error_(error), drift_(drift) {
  start_process();
}

void NodeClock::start_process() {
  started_ = world_.now();
  anchor_ = started_ + error_;
}

Time NodeClock::steady(Time true_time) const {
  const Duration passed = true_time - started_;
  return anchor_ + passed + Duration::nanoseconds(passed.in_milliseconds() * drift_);
}

Time NodeClock::now() const {
  return follows_ ? world_.now() + error_ : steady(world_.now());
}

Time NodeClock::when(Time shown) const {
  if (shown == Time::never()) return shown;
  if (shown <= now()) return world_.now();
  if (follows_) return shown - error_;
  const Duration wanted = shown - anchor_;
  Time at = started_ + wanted - Duration::nanoseconds(wanted.in_milliseconds() * drift_);
  // The guess is off by the drift of the drift, and by the steps in which drift is counted.
  while (steady(at) < shown) at = at + (shown - steady(at));
  return at;
}

std::int64_t draw_drift(World& world, const Plan& plan) {
  return world.random().between(-plan.clock_drift_max, plan.clock_drift_max);
}

NodeClock draw_clock(World& world, const Plan& plan) {
  const Duration error = world.pick(Duration::days(-3), Duration::days(3));
  return NodeClock(world, error, draw_drift(world, plan));
}

}  // namespace millrace::simulation
