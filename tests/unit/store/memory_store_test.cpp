// What only the store in memory has: the sync in the caller's hand.
#include "broker/store/memory_store.h"

#include <gtest/gtest.h>

#include "tests/conformance/store_values.h"

namespace millrace::broker {
namespace {

using testing::make_bytes;
using testing::make_task;

std::uint64_t tasks_in(MemoryStore& store) {
  std::uint64_t tasks = 0;
  LoadVisitor visitor;
  visitor.task = [&tasks](const TaskRecord&) { ++tasks; };
  EXPECT_TRUE(store.load(visitor).ok());
  return tasks;
}

TEST(MemoryStore, NothingIsDurableOrReadBeforeItsCommit) {
  MemoryStore store;
  store.submit({PutSpec{TaskSequence(1), make_bytes(10, 1)}});
  EXPECT_EQ(store.durable(), BatchNumber(0));
  EXPECT_FALSE(store.read_spec(TaskSequence(1)).ok());
  store.commit_all();
  EXPECT_EQ(store.durable(), BatchNumber(1));
  EXPECT_TRUE(store.read_spec(TaskSequence(1)).ok());
}

TEST(MemoryStore, CommitsBatchesInOrderAsManyAsAsked) {
  MemoryStore store;
  for (std::uint64_t number = 1; number <= 5; ++number) store.submit({PutTask{make_task(number)}});
  store.commit(2);
  EXPECT_EQ(store.durable(), BatchNumber(2));
  EXPECT_EQ(store.waiting(), 3U);
  EXPECT_EQ(tasks_in(store), 2U);
  store.commit(99);
  EXPECT_EQ(store.durable(), BatchNumber(5));
  store.commit(1);
  EXPECT_EQ(store.durable(), BatchNumber(5));
  EXPECT_EQ(store.counters().commits, 2U);
  EXPECT_EQ(store.counters().batches, 5U);
}

TEST(MemoryStore, CrashLosesWhatWasNotCommitted) {
  MemoryStore store;
  for (std::uint64_t number = 1; number <= 5; ++number) store.submit({PutTask{make_task(number)}});
  store.commit(3);
  store.crash();
  EXPECT_EQ(store.epoch(), Epoch(2));
  EXPECT_EQ(store.waiting(), 0U);
  EXPECT_EQ(tasks_in(store), 3U);
  EXPECT_EQ(store.submit({PutTask{make_task(9)}}), BatchNumber(4));
}

TEST(MemoryStore, AutoCommitIsDurableAtOnce) {
  MemoryStore store({.auto_commit = true});
  EXPECT_EQ(store.submit({PutTask{make_task(1)}}), BatchNumber(1));
  EXPECT_EQ(store.durable(), BatchNumber(1));
}

TEST(MemoryStore, UsageIsWhatTheTestSays) {
  MemoryStore store;
  EXPECT_TRUE(store.usage().accepting);
  store.set_usage({ByteCount(9), ByteCount(10), ByteCount(0), false});
  EXPECT_FALSE(store.usage().accepting);
  EXPECT_EQ(store.usage().map_bytes_used, ByteCount(9));
}

TEST(MemoryStore, CommittingNothingCommitsNothing) {
  MemoryStore store;
  store.commit(1);
  EXPECT_EQ(store.counters().commits, 0U);
  store.submit({PutTask{make_task(1)}});
  store.commit(0);
  EXPECT_EQ(store.durable(), BatchNumber());
  store.commit(1);
  EXPECT_EQ(store.counters().commits, 1U);
}

TEST(MemoryStore, WakesNobodyAndMeasuresNothing) {
  MemoryStore store({.auto_commit = true});
  store.submit({PutTask{make_task(1)}});
  EXPECT_EQ(store.wakeup_descriptor(), -1);
  store.acknowledge_wakeup();
  EXPECT_EQ(store.durable(), BatchNumber(1));
  EXPECT_EQ(store.commit_times().count, 0U);
  store.submit({PutQueue{QueueNumber(1), "mail", false}});
  EXPECT_TRUE(store.load({}).ok());
}

}  // namespace
}  // namespace millrace::broker
