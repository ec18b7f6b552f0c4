// What an index says and a data file does not have is reported, never served.
#include "broker/store/snapshot_reader.h"

#include <gmock/gmock.h>

#include "broker/store/store_reader.h"
#include "tests/unit/store/forged_store.h"

namespace millrace::testing {
namespace {

using broker::EntryNumber;
using broker::Key;
using broker::LogPart;
using broker::RecordKind;
using broker::TableId;
using ::testing::HasSubstr;

class SnapshotReaderTest : public ForgedStore {
 protected:
  SnapshotReaderTest() { open(); }

  template <class Value>
  static void expect_corrupt(const Result<Value>& read, const char* words) {
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::corrupt);
    EXPECT_THAT(read.error().message, HasSubstr(words));
  }
};

TEST_F(SnapshotReaderTest, WhatIsNotWhereTheIndexSaysIsReported) {
  forge([](Forge& forge) {
    forge.task(plain_task(1));
    forge.record(RecordKind::task, 2, bytes_of_text("no task"));
    forge.value(TableId::attempts, Key::of_attempt(TaskSequence(1), 1), "no attempt");
  });
  forge([](Forge& forge) {
    forge.raw(TableId::log, Key::of_entry(EntryNumber(7)).view(), bytes_of_text("no entry"));
  });
  const auto store = broker::StoreReader::open(settings_.directory);
  ASSERT_TRUE(store.ok()) << store.error().message;
  broker::SnapshotReader reader((*store)->snapshot(), (*store)->tables());
  EXPECT_TRUE(reader.read_task(TaskSequence(1), EntryNumber(1)).ok());
  expect_corrupt(reader.read_task(TaskSequence(9), EntryNumber(1)), "tasks/9 is missing");
  expect_corrupt(reader.read_task(TaskSequence(2), EntryNumber(1)), "tasks/2 is not a task record");
  expect_corrupt(reader.read_task(TaskSequence(1), EntryNumber(8)), "log/8 is missing");
  expect_corrupt(reader.read_task(TaskSequence(1), EntryNumber(7)), "log entry 7 is cut short");
  expect_corrupt(reader.read_totals(EntryNumber(1)), "totals");
  expect_corrupt(reader.read_totals(EntryNumber(8)), "log/8 is missing");
  expect_corrupt(
      reader.read(LogPart::spec, TaskSequence(1), broker::LogIndex::Place{EntryNumber(1), false}),
      "specs/1 is missing");
  expect_corrupt(
      reader.read(LogPart::spec, TaskSequence(1), broker::LogIndex::Place{EntryNumber(8), false}),
      "log/8 is missing");
  expect_corrupt(reader.read_attempt(TaskSequence(1), 1), "attempts/1/1 is not an attempt record");
}

// Each part of the visitor may be left out.
TEST_F(SnapshotReaderTest, AVisitorNeedNotWantEverything) {
  make_store({broker::PutTask{make_task(1)}, broker::PutTotals{make_totals(1)},
              broker::PutQueue{broker::QueueNumber(1), "mail", false}});
  const auto store = open();
  EXPECT_TRUE(store->load({}).ok());
  int tasks = 0;
  broker::LoadVisitor visitor;
  visitor.task = [&tasks](const broker::TaskRecord&) { ++tasks; };
  EXPECT_TRUE(store->load(visitor).ok());
  EXPECT_EQ(tasks, 1);
}

}  // namespace
}  // namespace millrace::testing
