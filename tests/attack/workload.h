// The life that an attacked store leads: what each batch of it writes follows from a seed, and so
// does what a store must hold after any number of batches.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/store/lmdb_store.h"
#include "common/base/random.h"

namespace millrace::attack {

// What is stored, by the keys of the store's contract.
struct State {
  broker::Totals totals;
  std::map<std::uint64_t, broker::TaskRecord> tasks;
  std::map<std::uint64_t, SharedBytes> specs;
  std::map<std::uint64_t, SharedBytes> results;
  std::map<std::pair<std::uint64_t, std::uint16_t>, AttemptRecord> attempts;
};

// Tasks are accepted, tried, ended and forgotten, with parts in the log and apart from it. The
// books balance after every batch, so that a check of the whole store has nothing to say.
class Workload {
 public:
  explicit Workload(std::uint64_t seed) : random_(seed) {}

  std::vector<broker::Write> next_batch();
  const State& state() const { return state_; }

 private:
  using Writes = std::vector<broker::Write>;
  void accept(Writes& writes);
  void advance(Writes& writes);
  void fail(std::uint64_t sequence, Writes& writes);
  void succeed(std::uint64_t sequence, Writes& writes);
  void forget(Writes& writes);
  SharedBytes bytes();

  Random random_;
  State state_;
  std::uint64_t batches_ = 0;
};

// All batches of a life, and the state after each: states[n] is after batch n.
struct Life {
  Life(std::uint64_t seed, std::uint64_t batches);

  std::vector<std::vector<broker::Write>> batches;
  std::vector<State> states;
};

// Settings of a store that is small, so that its log is cleaned and its pages are used again.
broker::StoreSettings small_store(const std::string& directory);

// How far a store got. `problem` is empty when it holds exactly the state after `batches`, at least
// `acknowledged` of them, and its check finds nothing. An error to open or to read is a problem
// too.
struct Verdict {
  std::uint64_t batches = 0;
  std::string problem;
  bool reported = false;  // the problem was reported by the store itself: nothing wrong was served
};
Verdict examine(const std::string& directory, const Life& life, std::uint64_t acknowledged);

// The same for a store that is open. `batches`: how many it says to hold.
Verdict compare(broker::LmdbStore& store, const Life& life, std::uint64_t batches);

// Submits batches until the life has `batches`, each when the one before is durable, or several at
// once. Calls `durable` with the number of each batch group that has become so.
void live(broker::LmdbStore& store, const Life& life, std::uint64_t batches,
          const std::function<void(std::uint64_t)>& durable);

}  // namespace millrace::attack
