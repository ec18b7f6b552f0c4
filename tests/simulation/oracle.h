// Holds the run against the promises of docs, in the users' words: turn by turn through its parts,
// and at the end against what the store has left.
#pragma once

#include "broker/core/broker_core.h"
#include "broker/store/store.h"
#include "tests/simulation/books.h"
#include "tests/simulation/dispatches.h"
#include "tests/simulation/leases.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/readings.h"

namespace millrace::simulation {

class Oracle {
 public:
  Oracle(World& world, const Plan& plan)
      : world_(world),
        books_(world, tasks_),
        dispatches_(world, plan, tasks_, books_),
        ledger_(world, tasks_),
        leases_(world, tasks_, ledger_),
        readings_(world, tasks_) {}

  TaskRegister& tasks() { return tasks_; }
  Books& books() { return books_; }
  Ledger& ledger() { return ledger_; }
  Leases& leases() { return leases_; }
  Readings& readings() { return readings_; }

  // A turn's effects, at `now` of the broker's clock. `accepting`: the core knows of room for new
  // tasks.
  void check_turn(const broker::Effects& effects, Time now, const broker::Totals& totals,
                  bool accepting);
  // Every index of the core, derived anew; and what it counts, against the books.
  void check_core(const broker::BrokerCore& core, Time now);
  // The end of a run that has come to rest.
  void check_export(broker::Store& store);

 private:
  void check_exported(const broker::TaskRecord& record, broker::Store& store);
  void check_success(const TaskFacts& facts, const broker::TaskRecord& record,
                     broker::Store& store);
  void check_end(const TaskFacts& facts, const broker::TaskRecord& record);
  void count_end(const TaskFacts& facts, const broker::TaskRecord& record);
  void fail(const char* promise, const TaskFacts& facts, const std::string& what) {
    world_.fail(promise, facts.name() + " " + what);
  }

  World& world_;
  TaskRegister tasks_;
  Books books_;
  Dispatches dispatches_;
  Ledger ledger_;
  Leases leases_;
  Readings readings_;
};

}  // namespace millrace::simulation
