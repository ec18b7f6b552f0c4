// What the broker gives out, turn by turn: in order (P9), nothing before its time (P13) or after
// its ttl, nothing of a paused queue, and no attempt that is not on record (P4).
#pragma once

#include <map>

#include "broker/core/effect.h"
#include "tests/simulation/books.h"
#include "tests/simulation/plan.h"

namespace millrace::simulation {

class Dispatches {
 public:
  Dispatches(World& world, const Plan& plan, TaskRegister& tasks, const Books& books)
      : world_(world), plan_(plan), tasks_(tasks), books_(books) {}

  // A turn whose writes the books know already, at `now` of the broker's clock.
  void check(const broker::Effects& effects, Time now);

 private:
  using QueueNumber = broker::QueueNumber;
  using Lane = std::pair<QueueNumber, std::uint8_t>;  // a queue and a priority

  void check_item(TaskFacts& facts, const broker::TaskRecord& record,
                  const DispatchedTask& dispatched, Time now);
  void check_order(const std::map<Lane, std::uint64_t>& newest_fresh,
                   const std::map<QueueNumber, std::uint8_t>& lowest_priority);

  World& world_;
  const Plan& plan_;
  TaskRegister& tasks_;
  const Books& books_;
};

}  // namespace millrace::simulation
