// The log is cleaned from its oldest end: what counts is carried forward, what was erased does not
// come back, and the file stays small.
#include <map>

#include "tests/unit/store/store_fixture.h"

namespace millrace::testing {
namespace {

using broker::EraseSpec;
using broker::EraseTask;
using broker::LmdbStore;
using broker::PutResult;
using broker::PutSpec;
using broker::PutTask;
using broker::Write;

class LmdbCleaning : public LmdbStoreTest {
 protected:
  static constexpr std::uint64_t kTasksABatch = 20;

  // Batches of tasks of which all but the first are completed and forgotten at once.
  static void leave_one_of_each(LmdbStore& store, std::uint64_t first_batch,
                                std::uint64_t end_batch) {
    for (std::uint64_t batch = first_batch; batch < end_batch; ++batch) {
      const std::uint64_t first = batch * kTasksABatch + 1;
      std::vector<Write> accepted;
      std::vector<Write> ended;
      for (std::uint64_t sequence = first; sequence < first + kTasksABatch; ++sequence) {
        accepted.push_back(PutTask{make_task(sequence)});
        accepted.push_back(PutSpec{TaskSequence(sequence), make_bytes(200, sequence)});
        if (sequence == first) continue;
        ended.push_back(PutTask{make_task(sequence, 1)});
        ended.push_back(PutResult{TaskSequence(sequence), make_bytes(50, sequence)});
        ended.push_back(EraseTask{TaskSequence(sequence), true, true, 0});
      }
      store.submit(std::move(accepted));
      store.submit(std::move(ended));
    }
  }
  static std::vector<std::uint64_t> sequences(LmdbStore& store) {
    std::vector<std::uint64_t> found;
    broker::LoadVisitor visitor;
    visitor.task = [&](const broker::TaskRecord& task) {
      EXPECT_EQ(task, make_task(task.sequence.value));
      found.push_back(task.sequence.value);
    };
    const Status loaded = store.load(visitor);
    EXPECT_TRUE(loaded.ok()) << loaded.error().message;
    return found;
  }
  static void expect_spec(LmdbStore& store, std::uint64_t sequence) {
    const Result<SharedBytes> spec = store.read_spec(TaskSequence(sequence));
    ASSERT_TRUE(spec.ok()) << spec.error().message;
    ASSERT_TRUE(*spec == make_bytes(200, sequence));
  }
};

TEST_F(LmdbCleaning, OneSurvivorOfEveryBatchCostsNoMoreThanItself) {
  constexpr std::uint64_t kBatches = 3'000;  // 36 MB of records, of which 1 MB counts
  {
    const auto store = open();
    leave_one_of_each(*store, 0, kBatches);
    wait_durable(*store);
    EXPECT_LT(store->usage().map_bytes_used, ByteCount::mebibytes(8));
  }
  const auto store = open();
  const std::vector<std::uint64_t> found = sequences(*store);
  ASSERT_EQ(found.size(), kBatches);
  for (std::uint64_t batch = 0; batch < kBatches; ++batch) {
    ASSERT_EQ(found[batch], batch * kTasksABatch + 1);
    if (batch % 100 == 0) expect_spec(*store, found[batch]);
  }
}

TEST_F(LmdbCleaning, WhatIsCarriedCanBeReadAllTheTime) {
  constexpr std::uint64_t kKept = 50;
  const auto store = open();
  leave_one_of_each(*store, 0, kKept);
  wait_durable(*store);
  for (std::uint64_t batch = kKept; batch < 1'500; batch += 3) {
    leave_one_of_each(*store, batch, batch + 3);
    for (std::uint64_t kept = 0; kept < kKept; ++kept) {
      expect_spec(*store, kept * kTasksABatch + 1);
      if (HasFatalFailure()) return;
    }
    store->acknowledge_wakeup();  // the end of a turn: the snapshot is let go
  }
  EXPECT_LT(store->usage().map_bytes_used, ByteCount::mebibytes(8));
}

struct Contents {
  std::map<std::uint64_t, std::uint64_t> tasks;  // to the version
  std::map<std::uint64_t, std::uint64_t> specs;  // to the seed
  std::map<std::uint64_t, std::uint64_t> results;
};

// Sizes on both sides of what the log keeps in itself.
SharedBytes bytes_for(std::uint64_t seed) {
  return make_bytes(seed % 17 == 0 ? 2'500 : seed % 300, seed);
}

Write random_write(Random& random, Contents& contents) {
  const std::uint64_t sequence = 1 + random.below(300);
  const std::uint64_t seed = random.next();
  switch (random.below(7)) {
    case 0:
      contents.specs[sequence] = seed;
      return PutSpec{TaskSequence(sequence), bytes_for(seed)};
    case 1:
      contents.results[sequence] = seed;
      return PutResult{TaskSequence(sequence), bytes_for(seed)};
    case 2:
      contents.specs.erase(sequence);
      return EraseSpec{TaskSequence(sequence)};
    case 3:
    case 4:
      contents.tasks.erase(sequence);
      contents.specs.erase(sequence);
      contents.results.erase(sequence);
      return EraseTask{TaskSequence(sequence), true, true, 0};
    default:
      contents.tasks[sequence] = seed;
      return PutTask{make_task(sequence, seed)};
  }
}

void expect_contents(LmdbStore& store, const Contents& contents) {
  auto expected = contents.tasks.begin();
  broker::LoadVisitor visitor;
  visitor.task = [&](const broker::TaskRecord& task) {
    ASSERT_NE(expected, contents.tasks.end()) << "task " << task.sequence.value << " came back";
    ASSERT_EQ(task, make_task(expected->first, expected->second));
    ++expected;
  };
  ASSERT_TRUE(store.load(visitor).ok());
  ASSERT_EQ(expected, contents.tasks.end());
  for (std::uint64_t sequence = 1; sequence <= 300; ++sequence) {
    const auto spec = contents.specs.find(sequence);
    const Result<SharedBytes> read = store.read_spec(TaskSequence(sequence));
    ASSERT_EQ(read.ok(), spec != contents.specs.end()) << "spec " << sequence;
    ASSERT_TRUE(!read.ok() || *read == bytes_for(spec->second));
    const auto result = contents.results.find(sequence);
    const Result<SharedBytes> got = store.read_result(TaskSequence(sequence));
    ASSERT_EQ(got.ok(), result != contents.results.end()) << "result " << sequence;
    ASSERT_TRUE(!got.ok() || *got == bytes_for(result->second));
  }
}

TEST_F(LmdbCleaning, ErasedTasksDoNotComeBack) {
  settings_.map_bytes_max = ByteCount::mebibytes(4);
  Random random(11);
  Contents contents;
  auto store = open();
  for (int round = 0; round < 24; ++round) {
    for (int batch = 0; batch < 40; ++batch) {
      std::vector<Write> writes;
      for (int left = 40; left > 0; --left) writes.push_back(random_write(random, contents));
      store->submit(std::move(writes));
    }
    if (round % 2 == 0) wait_durable(*store);
    if (round % 3 != 0) {
      store.reset();
      store = open();
    }
    wait_durable(*store);
    expect_contents(*store, contents);
    if (HasFatalFailure()) FAIL() << "round " << round;
  }
  EXPECT_LT(store->usage().map_bytes_used, ByteCount::mebibytes(3));
}

// A batch that changes nothing in the log keeps its number, too.
TEST_F(LmdbCleaning, NumberOfABatchWithoutRecordsIsKept) {
  {
    const auto store = open();
    store->submit({PutTask{make_task(1)}});
    store->submit({broker::PutQueue{broker::QueueNumber(1), "jobs", false}});
    wait_durable(*store);
  }
  EXPECT_EQ(open()->durable(), BatchNumber(2));
}

}  // namespace
}  // namespace millrace::testing
