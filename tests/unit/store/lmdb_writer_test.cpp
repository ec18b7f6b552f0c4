// The thread between submit() and durable(): order, wakeups and figures.
#include "tests/unit/store/store_fixture.h"

namespace millrace::testing {
namespace {

using broker::PutTask;

TEST_F(LmdbStoreTest, WakeupStaysReadableUntilAcknowledged) {
  const auto store = open();
  store->submit({PutTask{make_task(1)}});
  pollfd wakeup{store->wakeup_descriptor(), POLLIN, 0};
  ASSERT_EQ(::poll(&wakeup, 1, 60'000), 1);
  EXPECT_EQ(store->durable(), BatchNumber(1));
  EXPECT_EQ(::poll(&wakeup, 1, 0), 1);
  store->acknowledge_wakeup();
  EXPECT_EQ(::poll(&wakeup, 1, 0), 0);
  store->acknowledge_wakeup();
}

TEST_F(LmdbStoreTest, DurableOnlyGrows) {
  const auto store = open();
  BatchNumber seen = store->durable();
  for (std::uint64_t number = 1; number <= 500; ++number) {
    store->submit({PutTask{make_task(number)}});
    const BatchNumber now = store->durable();
    ASSERT_GE(now, seen);
    ASSERT_LE(now, BatchNumber(number));
    seen = now;
  }
  wait_durable(*store);
  EXPECT_EQ(store->durable(), BatchNumber(500));
}

TEST_F(LmdbStoreTest, CountersAgreeWithWhatWasSubmitted) {
  const auto store = open();
  for (std::uint64_t number = 1; number <= 200; ++number) {
    store->submit({PutTask{make_task(number)}, PutTask{make_task(number, 1)}});
  }
  wait_durable(*store);
  const broker::StoreCounters counters = store->counters();
  EXPECT_EQ(counters.batches, 200U);
  EXPECT_EQ(counters.writes, 400U);
  EXPECT_GE(counters.commits, 1U);
  EXPECT_LE(counters.commits, 200U);
  EXPECT_GE(counters.commit_time_total, counters.commit_time_max);
  const auto durations = store->commit_times();
  std::uint64_t sum = 0;
  for (const std::uint64_t bucket : durations.buckets) sum += bucket;
  EXPECT_EQ(sum, counters.commits);
  EXPECT_EQ(durations.count, counters.commits);
  EXPECT_EQ(durations.total, counters.commit_time_total);
}

// A snapshot that is never let go would pin pages, and the file would grow with every commit.
TEST_F(LmdbStoreTest, ReadsDoNotMakeTheFileGrow) {
  const auto store = open();
  store->submit({broker::PutSpec{TaskSequence(1), make_bytes(100, 1)}});
  wait_durable(*store);
  ASSERT_TRUE(store->read_spec(TaskSequence(1)).ok());
  for (std::uint64_t turn = 0; turn < 1'000; ++turn) {
    for (std::uint64_t task = 1; task <= 50; ++task)
      store->submit({PutTask{make_task(task, turn)}});
    wait_durable(*store);
    ASSERT_TRUE(store->read_spec(TaskSequence(1)).ok());
  }
  // Of the 7 MB that were written, the log keeps what counts and a sixteenth of the map.
  EXPECT_LT(store->usage().map_bytes_used, ByteCount::mebibytes(2));
}

}  // namespace
}  // namespace millrace::testing
