// Random writes against a plain model, with restarts in between: whatever the core may ask for, a
// store holds exactly what a few maps would hold.
#include <gtest/gtest.h>

#include <map>

#include "tests/conformance/store_harness.h"
#include "tests/conformance/store_values.h"

namespace millrace::testing {
namespace {

using broker::EraseAttempts;
using broker::EraseSpec;
using broker::EraseTask;
using broker::LoadVisitor;
using broker::PutAttempt;
using broker::PutQueue;
using broker::PutResult;
using broker::PutSpec;
using broker::PutTask;
using broker::PutTotals;
using broker::QueueNumber;
using broker::Store;
using broker::StoredQueue;
using broker::TaskRecord;
using broker::Totals;
using broker::Write;

constexpr std::uint64_t kSequences = 40;
constexpr std::uint16_t kAttempts = 3;

// Keys as the store's contract names them.
struct Model {
  Totals totals;
  std::map<std::uint32_t, PutQueue> queues;
  std::map<std::uint64_t, TaskRecord> tasks;
  std::map<std::uint64_t, SharedBytes> specs;
  std::map<std::uint64_t, SharedBytes> results;
  std::map<std::pair<std::uint64_t, std::uint16_t>, AttemptRecord> attempts;
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  bool chance(std::uint64_t one_in) { return random_.chance(1, one_in); }
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }

  // One random write, done to the model too.
  Write next(Model& model) {
    const std::uint64_t sequence = 1 + random_.below(kSequences);
    switch (random_.below(9)) {
      case 0:
      case 1: {
        const TaskRecord task = make_task(sequence, random_.next());
        model.tasks[sequence] = task;
        return PutTask{task};
      }
      case 2:
        return PutSpec{TaskSequence(sequence), model.specs[sequence] = bytes()};
      case 3:
        return PutResult{TaskSequence(sequence), model.results[sequence] = bytes()};
      case 4:
        model.specs.erase(sequence);
        return EraseSpec{TaskSequence(sequence)};
      case 5: {
        const auto number = static_cast<std::uint16_t>(1 + random_.below(kAttempts));
        const AttemptRecord attempt = make_attempt(number, random_.below(4'097));
        model.attempts[{sequence, number}] = attempt;
        return PutAttempt{TaskSequence(sequence), number, attempt};
      }
      case 6:
        return erase(model, sequence);
      case 7: {
        const auto queue = static_cast<std::uint32_t>(1 + random_.below(5));
        const PutQueue put{QueueNumber(queue), "q" + std::to_string(random_.below(99)), chance(2)};
        model.queues[queue] = put;
        return put;
      }
      default:
        model.totals = make_totals(random_.next());
        return PutTotals{model.totals};
    }
  }

 private:
  SharedBytes bytes() {
    return make_bytes(random_.below(chance(10) ? 30'000 : 300), random_.next());
  }

  Write erase(Model& model, std::uint64_t sequence) {
    for (std::uint16_t number = 1; number <= kAttempts; ++number) {
      model.attempts.erase({sequence, number});
    }
    if (chance(3)) return EraseAttempts{TaskSequence(sequence), kAttempts};
    const bool has_spec = model.specs.erase(sequence) > 0;
    const bool has_result = model.results.erase(sequence) > 0;
    model.tasks.erase(sequence);
    return EraseTask{TaskSequence(sequence), has_spec, has_result, kAttempts};
  }

  Random random_;
};

void expect_loaded(Store& store, const Model& model) {
  LoadVisitor visitor;
  auto queue = model.queues.begin();
  auto task = model.tasks.begin();
  visitor.totals = [&](const Totals& totals) { EXPECT_EQ(totals, model.totals); };
  visitor.queue = [&](const StoredQueue& stored) {
    ASSERT_NE(queue, model.queues.end());
    EXPECT_EQ(stored.queue.value, queue->first);
    EXPECT_EQ(stored.name, queue->second.name);
    EXPECT_EQ(stored.paused, queue->second.paused);
    ++queue;
  };
  visitor.task = [&](const TaskRecord& stored) {
    ASSERT_NE(task, model.tasks.end());
    EXPECT_EQ(stored, task->second);
    ++task;
  };
  const Status loaded = store.load(visitor);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(queue, model.queues.end());
  EXPECT_EQ(task, model.tasks.end());
}

template <class Value, class Map, class KeyType>
void expect_read(const Result<Value>& read, const Map& map, const KeyType& key) {
  const auto found = map.find(key);
  if (found == map.end()) {
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::not_found);
  } else {
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_TRUE(*read == found->second);
  }
}

void expect_reads(Store& store, const Model& model) {
  for (std::uint64_t sequence = 1; sequence <= kSequences; ++sequence) {
    const TaskSequence task(sequence);
    expect_read(store.read_spec(task), model.specs, sequence);
    expect_read(store.read_result(task), model.results, sequence);
    for (std::uint16_t number = 1; number <= kAttempts; ++number) {
      expect_read(store.read_attempt(task, number), model.attempts, std::pair(sequence, number));
    }
  }
}

class StoreModel : public ::testing::TestWithParam<StoreKind> {};

TEST_P(StoreModel, HoldsWhatMapsWouldHold) {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::unique_ptr<StoreHarness> harness = GetParam().make();
    Generator generator(seed);
    Model model;
    for (int turn = 0; turn < 60; ++turn) {
      std::vector<Write> writes;
      for (std::uint64_t left = generator.below(20); left > 0; --left) {
        writes.push_back(generator.next(model));
      }
      harness->store().submit(std::move(writes));
      if (!generator.chance(5)) continue;
      harness->commit();
      if (generator.chance(3)) harness->restart();
      expect_loaded(harness->store(), model);
      expect_reads(harness->store(), model);
      if (HasFailure()) return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryStore, StoreModel, ::testing::ValuesIn(all_store_kinds()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace millrace::testing
