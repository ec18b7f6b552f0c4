// What every Store must do, run over each of them: the seam's contract as tests.
#include <gtest/gtest.h>

#include <array>

#include "tests/conformance/store_harness.h"
#include "tests/conformance/store_values.h"

namespace millrace::testing {
namespace {

using broker::EraseAttempts;
using broker::EraseSpec;
using broker::EraseTask;
using broker::PutAttempt;
using broker::PutQueue;
using broker::PutResult;
using broker::PutSpec;
using broker::PutTask;
using broker::PutTotals;
using broker::QueueNumber;
using broker::StoredQueue;
using broker::TaskRecord;
using broker::Totals;
using broker::Write;

struct Contents {
  Totals totals;
  std::vector<StoredQueue> queues;
  std::vector<TaskRecord> tasks;
  std::string order;  // of the visits: one letter each
};

class StoreSuite : public ::testing::TestWithParam<StoreKind> {
 protected:
  broker::Store& store() { return harness_->store(); }

  BatchNumber write(std::vector<Write> writes) { return store().submit(std::move(writes)); }
  void write_durably(std::vector<Write> writes) {
    write(std::move(writes));
    harness_->commit();
  }
  void restart() { harness_->restart(); }

  Contents load() {
    Contents contents;
    broker::LoadVisitor visitor;
    visitor.totals = [&](const Totals& totals) {
      contents.totals = totals;
      contents.order += 'T';
    };
    visitor.queue = [&](const StoredQueue& queue) {
      contents.queues.push_back(queue);
      contents.order += 'q';
    };
    visitor.task = [&](const TaskRecord& task) {
      contents.tasks.push_back(task);
      contents.order += 't';
    };
    const Status loaded = store().load(visitor);
    EXPECT_TRUE(loaded.ok()) << loaded.error().message;
    return contents;
  }

  void expect_missing(std::uint64_t sequence) {
    const TaskSequence task(sequence);
    for (const Result<SharedBytes>& read : {store().read_spec(task), store().read_result(task)}) {
      ASSERT_FALSE(read.ok());
      EXPECT_EQ(read.error().code, ErrorCode::not_found);
    }
    expect_no_attempt(sequence, 1);
  }
  void expect_no_attempt(std::uint64_t sequence, std::uint16_t number) {
    const Result<AttemptRecord> read = store().read_attempt(TaskSequence(sequence), number);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::not_found);
  }
  void expect_spec(std::uint64_t sequence, const SharedBytes& bytes) {
    const Result<SharedBytes> read = store().read_spec(TaskSequence(sequence));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_TRUE(*read == bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read->data()) % 8, 0U);
  }
  void expect_result(std::uint64_t sequence, const SharedBytes& bytes) {
    const Result<SharedBytes> read = store().read_result(TaskSequence(sequence));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_TRUE(*read == bytes);
  }

 private:
  std::unique_ptr<StoreHarness> harness_ = GetParam().make();
};

TEST_P(StoreSuite, FreshStoreIsEmpty) {
  const Contents contents = load();
  EXPECT_EQ(contents.order, "T");
  EXPECT_EQ(contents.totals, Totals());
  EXPECT_EQ(store().durable(), BatchNumber(0));
  EXPECT_EQ(store().submit({}), BatchNumber(0));
  EXPECT_EQ(store().epoch(), Epoch(1));
  EXPECT_TRUE(store().usage().accepting);
  expect_missing(1);
}

TEST_P(StoreSuite, EmptyBatchHasTheNumberOfTheNewest) {
  EXPECT_EQ(write({PutTask{make_task(1)}}), BatchNumber(1));
  EXPECT_EQ(write({}), BatchNumber(1));
  EXPECT_EQ(write({PutTask{make_task(2)}}), BatchNumber(2));
  write_durably({});
  EXPECT_EQ(store().durable(), BatchNumber(2));
}

TEST_P(StoreSuite, BatchesAreConsecutiveOverRestarts) {
  for (std::uint64_t number = 1; number <= 5; ++number) {
    EXPECT_EQ(write({PutTask{make_task(number)}}), BatchNumber(number));
    write_durably({});
    restart();
    EXPECT_EQ(store().durable(), BatchNumber(number));
    EXPECT_EQ(store().submit({}), BatchNumber(number));
  }
}

TEST_P(StoreSuite, EveryStartIsANewEpoch) {
  for (std::uint64_t epoch = 1; epoch <= 5; ++epoch) {
    EXPECT_EQ(store().epoch(), Epoch(epoch));
    restart();
  }
}

TEST_P(StoreSuite, LoadVisitsTotalsThenQueuesThenTasksBySequence) {
  const Totals totals = make_totals(7);
  write_durably({PutTask{make_task(300)}, PutQueue{QueueNumber(2), "second", true},
                 PutTotals{totals}, PutTask{make_task(2)}, PutTask{make_task(65'536)},
                 PutTask{make_task(255)}, PutQueue{QueueNumber(1), "first", false},
                 PutTask{make_task(1)}});
  restart();
  const Contents contents = load();
  EXPECT_EQ(contents.order, "Tqqttttt");
  EXPECT_EQ(contents.totals, totals);
  ASSERT_EQ(contents.queues.size(), 2U);
  EXPECT_EQ(contents.queues[0].queue, QueueNumber(1));
  EXPECT_EQ(contents.queues[0].name, "first");
  EXPECT_FALSE(contents.queues[0].paused);
  EXPECT_EQ(contents.queues[1].queue, QueueNumber(2));
  EXPECT_EQ(contents.queues[1].name, "second");
  EXPECT_TRUE(contents.queues[1].paused);
  const std::vector<TaskRecord> expected = {make_task(1), make_task(2), make_task(255),
                                            make_task(300), make_task(65'536)};
  EXPECT_EQ(contents.tasks, expected);
}

TEST_P(StoreSuite, LaterWritesReplaceEarlierOnes) {
  write_durably({PutTask{make_task(1, 0)}, PutSpec{TaskSequence(1), make_bytes(9'000, 1)},
                 PutResult{TaskSequence(1), make_bytes(5'000, 2)}, PutTotals{make_totals(1)},
                 PutQueue{QueueNumber(1), "jobs", false}});
  write_durably({PutTask{make_task(1, 1)}, PutTask{make_task(1, 2)}, PutTotals{make_totals(2)},
                 PutSpec{TaskSequence(1), make_bytes(100, 3)},
                 PutResult{TaskSequence(1), make_bytes(0, 4)},
                 PutQueue{QueueNumber(1), "jobs", true}});
  restart();
  const Contents contents = load();
  EXPECT_EQ(contents.order, "Tqt");
  EXPECT_EQ(contents.tasks[0], make_task(1, 2));
  EXPECT_EQ(contents.totals, make_totals(2));
  EXPECT_TRUE(contents.queues[0].paused);
  expect_spec(1, make_bytes(100, 3));
  expect_result(1, make_bytes(0, 4));
}

TEST_P(StoreSuite, EraseTaskRemovesAllThatLiesApart) {
  std::vector<Write> writes;
  for (std::uint64_t sequence = 1; sequence <= 3; ++sequence) {
    writes.push_back(PutTask{make_task(sequence)});
    writes.push_back(PutSpec{TaskSequence(sequence), make_bytes(10'000, sequence)});
    writes.push_back(PutResult{TaskSequence(sequence), make_bytes(10'001, sequence)});
    writes.push_back(PutAttempt{TaskSequence(sequence), 1, make_attempt(1)});
    writes.push_back(PutAttempt{TaskSequence(sequence), 2, make_attempt(2, 5'000)});
  }
  write_durably(std::move(writes));
  write_durably({EraseTask{TaskSequence(2), true, true, 2}});
  restart();
  const Contents contents = load();
  ASSERT_EQ(contents.tasks.size(), 2U);
  EXPECT_EQ(contents.tasks[0], make_task(1));
  EXPECT_EQ(contents.tasks[1], make_task(3));
  expect_missing(2);
  expect_no_attempt(2, 2);
  for (const std::uint64_t kept : {1U, 3U}) {
    expect_spec(kept, make_bytes(10'000, kept));
    expect_result(kept, make_bytes(10'001, kept));
    EXPECT_EQ(*store().read_attempt(TaskSequence(kept), 2), make_attempt(2, 5'000));
  }
}

TEST_P(StoreSuite, ErasingWhatIsMissingIsFine) {
  write_durably({EraseTask{TaskSequence(9), true, true, 3}, EraseSpec{TaskSequence(9)},
                 EraseAttempts{TaskSequence(9), 4}, PutTask{make_task(1)}});
  EXPECT_EQ(store().durable(), BatchNumber(1));
  EXPECT_EQ(load().tasks.size(), 1U);
}

TEST_P(StoreSuite, SpecMayGoWhileTheRecordStays) {
  write_durably({PutTask{make_task(1)}, PutSpec{TaskSequence(1), make_bytes(50, 1)}});
  write_durably({EraseSpec{TaskSequence(1)}});
  restart();
  EXPECT_EQ(load().tasks.size(), 1U);
  expect_missing(1);
}

// Of 300, around the byte boundary of the number.
constexpr std::array<std::uint16_t, 5> kSomeAttempts = {1, 2, 255, 256, 300};

TEST_P(StoreSuite, AttemptsAreKeptByNumberAndErasedTogether) {
  std::vector<Write> writes;
  for (std::uint16_t number = 1; number <= 300; ++number) {
    writes.push_back(PutAttempt{TaskSequence(7), number, make_attempt(number)});
  }
  writes.push_back(PutAttempt{TaskSequence(8), 1, make_attempt(1, 0)});
  write_durably(std::move(writes));
  restart();
  for (const std::uint16_t number : kSomeAttempts) {
    const Result<AttemptRecord> read = store().read_attempt(TaskSequence(7), number);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(*read, make_attempt(number));
  }
  write_durably({EraseAttempts{TaskSequence(7), 300}});
  for (const std::uint16_t number : kSomeAttempts) expect_no_attempt(7, number);
  EXPECT_EQ(*store().read_attempt(TaskSequence(8), 1), make_attempt(1, 0));
}

TEST_P(StoreSuite, ValuesOfEverySizeComeBackWhole) {
  // Around the sizes where an implementation may split a value, and far above.
  const std::vector<std::size_t> sizes = {0,     1,     1'999, 2'000, 2'001, 3'999,  4'000,
                                          4'001, 4'072, 4'073, 8'144, 8'145, 65'536, 5'000'000};
  std::vector<Write> writes;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    writes.push_back(PutSpec{TaskSequence(i + 1), make_bytes(sizes[i], i)});
    writes.push_back(PutResult{TaskSequence(i + 1), make_bytes(sizes[i], 100 + i)});
  }
  write_durably(std::move(writes));
  restart();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    expect_spec(i + 1, make_bytes(sizes[i], i));
    expect_result(i + 1, make_bytes(sizes[i], 100 + i));
  }
}

TEST_P(StoreSuite, ReadBytesOutliveTheirValue) {
  write_durably({PutSpec{TaskSequence(1), make_bytes(3'000, 1)}});
  const Result<SharedBytes> read = store().read_spec(TaskSequence(1));
  write_durably({EraseSpec{TaskSequence(1)}, PutSpec{TaskSequence(2), make_bytes(3'000, 2)}});
  EXPECT_TRUE(*read == make_bytes(3'000, 1));
}

TEST_P(StoreSuite, TenThousandTasksInManyBatches) {
  constexpr std::uint64_t kTasks = 10'000;
  std::vector<Write> batch;
  for (std::uint64_t sequence = 1; sequence <= kTasks; ++sequence) {
    batch.push_back(PutTask{make_task(sequence)});
    batch.push_back(PutSpec{TaskSequence(sequence), make_bytes(100, sequence)});
    if (sequence % 37 == 0 || sequence == kTasks) write(std::exchange(batch, {}));
  }
  write_durably({});
  EXPECT_EQ(store().counters().writes, 2 * kTasks);
  EXPECT_EQ(store().counters().batches, store().durable().value);
  EXPECT_GE(store().counters().commits, 1U);
  restart();
  const Contents contents = load();
  ASSERT_EQ(contents.tasks.size(), kTasks);
  for (std::uint64_t sequence = 1; sequence <= kTasks; ++sequence) {
    ASSERT_EQ(contents.tasks[sequence - 1], make_task(sequence));
  }
  for (std::uint64_t sequence = 1; sequence <= kTasks; sequence += 501) {
    expect_spec(sequence, make_bytes(100, sequence));
  }
}

INSTANTIATE_TEST_SUITE_P(EveryStore, StoreSuite, ::testing::ValuesIn(all_store_kinds()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace millrace::testing
