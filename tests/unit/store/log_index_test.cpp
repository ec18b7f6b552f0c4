#include "broker/store/log_index.h"

#include <gtest/gtest.h>

#include <map>

#include "common/base/random.h"

namespace millrace::broker {
namespace {

TEST(PositionTable, HoldsWhatAMapWouldHold) {
  PositionTable table;
  std::map<std::uint64_t, std::uint32_t> model;
  Random random(1);
  for (int turn = 0; turn < 100'000; ++turn) {
    // Dense at the start, and far apart.
    const std::uint64_t sequence = random.chance(1, 2) ? random.below(500) : random.next() >> 8;
    const auto value = static_cast<std::uint32_t>(random.chance(1, 3) ? 0 : random.next() | 1U);
    const auto found = model.find(sequence);
    const std::uint32_t old = found == model.end() ? 0 : found->second;
    ASSERT_EQ(table.get(TaskSequence(sequence)), old);
    ASSERT_EQ(table.set(TaskSequence(sequence), value), old);
    if (value == 0) {
      model.erase(sequence);
    } else {
      model[sequence] = value;
    }
    ASSERT_EQ(table.size(), model.size());
  }
  auto expected = model.begin();
  table.for_each([&](TaskSequence sequence, std::uint32_t value) {
    EXPECT_EQ(sequence.value, expected->first);
    EXPECT_EQ(value, expected->second);
    return ++expected != model.end();
  });
  EXPECT_EQ(expected, model.end());
}

class LogIndexTest : public ::testing::Test {
 protected:
  using Change = LogUpdate::Change;

  void add(std::uint64_t number, const std::vector<Change>& changes) {
    const LogUpdate::Entry entry{EntryNumber(number), 1'000,
                                 static_cast<std::uint16_t>(changes.size())};
    index_.add(entry, changes.begin());
  }
  static Change change(RecordKind kind, std::uint64_t sequence) {
    return Change{TaskSequence(sequence), kind};
  }
  std::uint64_t entry_of(LogPart part, std::uint64_t sequence) const {
    const auto place = index_.find(part, TaskSequence(sequence));
    return place.has_value() ? place->entry.value : 0;
  }
  int live(std::uint64_t entry) const { return index_.live_records(EntryNumber(entry)); }

  LogIndex index_;
};

TEST_F(LogIndexTest, NewestRecordCounts) {
  add(1, {change(RecordKind::task, 7), change(RecordKind::spec, 7), change(RecordKind::task, 8)});
  add(2, {change(RecordKind::task, 7)});
  EXPECT_EQ(entry_of(LogPart::task, 7), 2U);
  EXPECT_EQ(entry_of(LogPart::spec, 7), 1U);
  EXPECT_EQ(entry_of(LogPart::task, 8), 1U);
  EXPECT_EQ(live(1), 2);
  EXPECT_EQ(live(2), 1);
  const LogRecord record{TaskSequence(7), RecordKind::task, 0, {}};
  EXPECT_FALSE(index_.is_live(EntryNumber(1), record));
  EXPECT_TRUE(index_.is_live(EntryNumber(2), record));
}

TEST_F(LogIndexTest, EraseEndsWhatItNames) {
  add(1, {change(RecordKind::task, 7), change(RecordKind::spec_apart, 7),
          change(RecordKind::result, 7)});
  EXPECT_TRUE(index_.find(LogPart::spec, TaskSequence(7))->apart);
  add(2, {change(RecordKind::erase_spec, 7)});
  EXPECT_EQ(entry_of(LogPart::spec, 7), 0U);
  EXPECT_EQ(live(1), 2);
  add(3, {change(RecordKind::erase_task, 7)});
  EXPECT_EQ(entry_of(LogPart::task, 7), 0U);
  EXPECT_EQ(entry_of(LogPart::result, 7), 0U);
  EXPECT_EQ(live(1), 0);
  EXPECT_EQ(live(3), 0);
}

TEST_F(LogIndexTest, TotalsCountOnce) {
  add(1, {change(RecordKind::totals, 0)});
  add(2, {change(RecordKind::totals, 0), change(RecordKind::batch, 0)});
  EXPECT_EQ(index_.totals_entry(), EntryNumber(2));
  EXPECT_EQ(live(1), 0);
  EXPECT_EQ(live(2), 1);
}

TEST_F(LogIndexTest, LiveShareReachesNothingWhenNothingCounts) {
  add(1, {change(RecordKind::task, 1), change(RecordKind::task, 2), change(RecordKind::task, 3)});
  EXPECT_EQ(index_.live_bytes(), ByteCount(999));
  add(2, {change(RecordKind::erase_task, 1)});
  EXPECT_EQ(index_.live_bytes(), ByteCount(666));
  EXPECT_EQ(index_.garbage_bytes(), ByteCount(1'334));
  add(3, {change(RecordKind::erase_task, 2), change(RecordKind::erase_task, 3)});
  EXPECT_EQ(index_.live_bytes(), ByteCount());
  index_.drop_below(EntryNumber(3));
  EXPECT_EQ(index_.oldest(), EntryNumber(3));
  EXPECT_EQ(index_.stored_bytes(), ByteCount(1'000));
}

// Places are kept in 30 bits; the log goes on beyond.
TEST_F(LogIndexTest, EntryNumbersMayPassThePlacesWidth) {
  const std::uint64_t first = (1ULL << 30) - 3;
  for (std::uint64_t number = 0; number < 8; ++number) {
    add(first + number, {change(RecordKind::task, number + 1)});
  }
  for (std::uint64_t number = 0; number < 8; ++number) {
    EXPECT_EQ(entry_of(LogPart::task, number + 1), first + number);
  }
  std::vector<Change> erased;
  for (std::uint64_t number = 0; number < 5; ++number) {
    erased.push_back(change(RecordKind::erase_task, number + 1));
  }
  add(first + 8, erased);
  index_.drop_below(EntryNumber(first + 5));
  EXPECT_EQ(entry_of(LogPart::task, 6), first + 5);
  EXPECT_EQ(entry_of(LogPart::task, 8), first + 7);
}

}  // namespace
}  // namespace millrace::broker
