// The cleaner against a log that lost what its index knows: it stops, and the commit with it.
#include "broker/store/log_cleaner.h"

#include <gmock/gmock.h>

#include "broker/store/log_scan.h"
#include "tests/unit/store/forged_store.h"

namespace millrace::testing {
namespace {

using broker::EntryNumber;
using broker::Key;
using broker::TableId;
using ::testing::HasSubstr;

class LogCleanerTest : public ForgedStore {
 protected:
  // Entries 1 and 2 hold older books, 3 a task, 4 older books, 5 the newest.
  LogCleanerTest() {
    open();
    for (const std::uint64_t entry : {1U, 2U, 3U, 4U, 5U}) {
      forge(
          [entry](Forge& forge) {
            if (entry == 3) {
              forge.task(plain_task(1));
            } else {
              forge.totals(1, 1);
            }
          },
          entry);
    }
  }

  // Cleans after `change`, of which the index knows nothing. What is appended begins at entry 6.
  Status clean(const Write& change, ByteCount work, EntryNumber& first_kept) {
    Status cleaned = Done{};
    forge(
        [&](Forge& forge) {
          const MDB_dbi log = forge.tables.handle(TableId::log);
          const auto scanned = broker::index_log(forge.transaction, log, 4'096);
          ASSERT_TRUE(scanned.ok()) << scanned.error().message;
          change(forge);
          cleaned = broker::clean_log(forge.transaction, log, scanned->index, forge.log,
                                      ByteCount(), work);
          first_kept = forge.log.update().first_kept;
        },
        6);
    return cleaned;
  }
  void expect_stopped(const Write& change, const char* words) {
    EntryNumber first_kept;
    const Status cleaned = clean(change, ByteCount::mebibytes(1), first_kept);
    ASSERT_FALSE(cleaned.ok());
    EXPECT_EQ(cleaned.error().code, ErrorCode::corrupt);
    EXPECT_THAT(cleaned.error().message, HasSubstr(words));
  }
  static void nothing(Forge&) {}
};

TEST_F(LogCleanerTest, DropsWhatIsOldAndCarriesTheRest) {
  EntryNumber first_kept;
  ASSERT_TRUE(clean(nothing, ByteCount::mebibytes(1), first_kept).ok());
  EXPECT_EQ(first_kept, EntryNumber(3));
}

TEST_F(LogCleanerTest, DropsNoMoreAtOnceThanItsWork) {
  EntryNumber first_kept;
  ASSERT_TRUE(clean(nothing, ByteCount(1), first_kept).ok());
  EXPECT_EQ(first_kept, EntryNumber(2));
}

TEST_F(LogCleanerTest, StopsWhereTheOldestEntryIsMissing) {
  expect_stopped([](Forge& forge) { forge.erase(TableId::log, Key::of_entry(EntryNumber(1))); },
                 "log entry 1 is missing");
}

TEST_F(LogCleanerTest, StopsWhereTheLogIsEmpty) {
  expect_stopped(
      [](Forge& forge) {
        for (std::uint64_t entry = 1; entry <= 5; ++entry) {
          forge.erase(TableId::log, Key::of_entry(EntryNumber(entry)));
        }
      },
      "log entry 1 is missing");
}

TEST_F(LogCleanerTest, StopsWhereWhatItShouldCarryIsMissing) {
  expect_stopped([](Forge& forge) { forge.erase(TableId::log, Key::of_entry(EntryNumber(3))); },
                 "log entry 3 is missing");
}

TEST_F(LogCleanerTest, StopsWhereWhatItShouldCarryIsDamaged) {
  expect_stopped(
      [](Forge& forge) {
        forge.raw(TableId::log, Key::of_entry(EntryNumber(3)).view(), bytes_of_text("damage"));
      },
      "log entry 3 is cut short");
}

}  // namespace
}  // namespace millrace::testing
