#include "tests/simulation/disk.h"

#include <algorithm>
#include <utility>

namespace millrace::simulation {

BatchNumber Disk::submit(std::vector<broker::Write> writes) {
  const BatchNumber number = store_.submit(std::move(writes));
  if (!syncing_) start_sync();
  return number;
}

void Disk::start_sync() {
  if (store_.waiting() <= held_back_) return;
  syncing_ = true;
  sync_batches_ = store_.waiting();
  sync_until_ = std::max(sync_until_, world_.now()) + world_.pick(plan_.sync_min, plan_.sync_max);
  finish_sync();
}

// A stall moves the end of a sync that runs already.
void Disk::finish_sync() {
  world_.at(sync_until_, [this, generation = generation_] {
    if (generation != generation_) return;
    if (world_.now() < sync_until_) return finish_sync();
    if (fails_) {  // `syncing_` stays: the writer has ended
      world_.note(Happening::commit_fails);
      return on_failure_();
    }
    syncing_ = false;
    const bool lies = mutant_ == Mutant::acknowledge_before_sync;
    said_ = BatchNumber(store_.durable().value + sync_batches_);
    const std::size_t synced = lies ? held_back_ : sync_batches_;
    store_.commit(synced);
    held_back_ = sync_batches_ - synced;
    on_durable_();
    if (!syncing_) start_sync();
  });
}

void Disk::stall(Duration length) {
  sync_until_ = std::max(sync_until_, world_.now()) + length;
}

void Disk::crash() {
  ++generation_;
  if (syncing_ && world_.chance(400)) {
    world_.note(Happening::commit_survives_crash);
    store_.commit(sync_batches_);
  }
  if (store_.waiting() > 0) {
    world_.note(Happening::batches_lost, 0, 0, static_cast<std::int64_t>(store_.waiting()));
  }
  store_.crash();
  said_ = store_.durable();
  syncing_ = fails_ = false;
  held_back_ = 0;
  sync_until_ = Time();
}

}  // namespace millrace::simulation
