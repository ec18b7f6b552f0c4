// The broker's disk: group commit with a latency, and what a crash leaves of it.
#pragma once

#include <functional>

#include "broker/store/memory_store.h"
#include "tests/simulation/mutants.h"
#include "tests/simulation/plan.h"
#include "tests/simulation/world.h"

namespace millrace::simulation {

class Disk {
 public:
  Disk(World& world, const Plan& plan, Mutant mutant, Step on_durable, Step on_failure)
      : world_(world),
        plan_(plan),
        mutant_(mutant),
        on_durable_(std::move(on_durable)),
        on_failure_(std::move(on_failure)) {}

  broker::Store& store() { return store_; }
  // As Store::submit. Starts a commit if none is under way.
  BatchNumber submit(std::vector<broker::Write> writes);
  // What the disk says is durable.
  BatchNumber durable() const { return said_; }
  bool is_idle() const { return !syncing_ && store_.waiting() == held_back_; }
  // At the end of a run: nothing is under way any more.
  void settle() { store_.commit_all(); }
  // The next sync, or the one under way, takes this much longer.
  void stall(Duration length);
  // The next commit that ends fails: nobody knows whether it is done. Until the crash none follows.
  void fail_next_commit() { fails_ = true; }
  // Whether there is room for new tasks; what runs may finish either way.
  void set_accepting(bool accepting) { accepting_ = accepting; }
  bool accepting() const { return accepting_; }
  // The process dies: a commit under way may be done or not. The store is ready for the next start.
  void crash();

 private:
  void start_sync();
  void finish_sync();

  World& world_;
  const Plan& plan_;
  Mutant mutant_;
  Step on_durable_;
  Step on_failure_;
  broker::MemoryStore store_;
  BatchNumber said_;
  std::size_t held_back_ = 0;  // batches said to be durable that are not: a mutant's
  bool syncing_ = false;
  bool fails_ = false;
  bool accepting_ = true;
  std::size_t sync_batches_ = 0;
  Time sync_until_;
  std::uint64_t generation_ = 0;
};

}  // namespace millrace::simulation
