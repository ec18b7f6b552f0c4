// Values in chunks: what is put comes back whole, and nothing of it stays when it goes.
#include <gmock/gmock.h>

#include "tests/unit/store/forged_store.h"

namespace millrace::testing {
namespace {

using broker::Key;
using broker::TableId;
using ::testing::HasSubstr;

class TablesTest : public ForgedStore {
 protected:
  TablesTest() { open(); }

  static std::uint64_t values(const Forge& forge) {
    return *forge.transaction.entries(forge.tables.handle(TableId::specs));
  }
  static void put(const Forge& forge, std::size_t size) {
    ASSERT_TRUE(
        forge.tables.put(forge.transaction, TableId::specs, kKey, make_bytes(size, size).view())
            .ok());
  }
  static inline const Key kKey = Key::of_task(TaskSequence(1));
};

TEST_F(TablesTest, AShorterValueLeavesNothingOfALongerOne) {
  forge([](Forge& forge) {
    put(forge, 10'000);
    EXPECT_EQ(values(forge), 3U);
    put(forge, 5'000);
    EXPECT_EQ(values(forge), 2U);
    put(forge, 0);
    EXPECT_EQ(values(forge), 1U);
    EXPECT_TRUE(forge.tables.get(forge.transaction, TableId::specs, kKey)->empty());
    EXPECT_TRUE(forge.tables.erase(forge.transaction, TableId::specs, kKey).ok());
    EXPECT_EQ(values(forge), 0U);
  });
}

TEST_F(TablesTest, AChunkOfAnotherValueIsReported) {
  forge([](Forge& forge) {
    put(forge, 10'000);
    const auto chunk = forge.raw_copy(TableId::specs, kKey.at_chunk(1).view());
    put(forge, 5'000);
    forge.raw(TableId::specs, kKey.at_chunk(1).view(), chunk);
    const auto read = forge.tables.get(forge.transaction, TableId::specs, kKey);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::corrupt);
    EXPECT_THAT(read.error().message, HasSubstr("specs/1/1 belongs to another value"));
  });
}

// A damaged count of chunks must not erase what is not its own.
TEST_F(TablesTest, OfADamagedValueOnlyTheFirstChunkIsErased) {
  forge([](Forge& forge) {
    put(forge, 10'000);
    auto first = forge.raw_copy(TableId::specs, kKey.view());
    first.back() ^= 1U;
    forge.raw(TableId::specs, kKey.view(), first);
    EXPECT_TRUE(forge.tables.erase(forge.transaction, TableId::specs, kKey).ok());
    EXPECT_EQ(values(forge), 2U);
  });
}

TEST_F(TablesTest, ErasingAValueWithAHoleIsFine) {
  forge([](Forge& forge) {
    put(forge, 10'000);
    forge.erase(TableId::specs, kKey.at_chunk(1));
    EXPECT_TRUE(forge.tables.erase(forge.transaction, TableId::specs, kKey).ok());
    EXPECT_EQ(values(forge), 0U);
  });
}

TEST_F(TablesTest, AVisitEndsAtTheFirstError) {
  forge([](Forge& forge) {
    forge.value(TableId::queues, Key::of_queue(broker::QueueNumber(1)), "one");
    forge.value(TableId::queues, Key::of_queue(broker::QueueNumber(2)), "two");
    int visits = 0;
    const Status visited =
        forge.tables.visit(forge.transaction, TableId::queues,
                           [&visits](broker::lmdb::BytesView, broker::lmdb::BytesView) -> Status {
                             ++visits;
                             return Error{ErrorCode::invalid, "enough"};
                           });
    EXPECT_FALSE(visited.ok());
    EXPECT_EQ(visits, 1);
  });
}

}  // namespace
}  // namespace millrace::testing
