// Damage to a closed data file is reported when it is met, and never served.
#include <array>
#include <cstring>
#include <optional>

#include "broker/store/record_codec.h"
#include "tests/unit/store/store_fixture.h"

namespace millrace::testing {
namespace {

using broker::PutAttempt;
using broker::PutQueue;
using broker::PutResult;
using broker::PutSpec;
using broker::PutTask;
using broker::PutTotals;
using broker::QueueNumber;

class LmdbCorruption : public LmdbStoreTest {
 protected:
  // Flips one bit in the middle of the only occurrence of `bytes` in the closed data file.
  void damage(std::span<const std::uint8_t> bytes) {
    const std::string text(bytes.begin(), bytes.end());
    std::string file = read_file(data_file());
    const std::size_t at = file.find(text);
    ASSERT_NE(at, std::string::npos);
    ASSERT_EQ(file.find(text, at + 1), std::string::npos) << "damage must hit the live copy";
    const std::size_t middle = at + text.size() / 2;
    std::fstream stream(data_file(), std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(static_cast<std::streamoff>(middle));
    stream.put(static_cast<char>(file[middle] ^ 0x10));
  }
  void expect_load_fails(const std::string& what) {
    const auto store = open();
    const Status loaded = store->load({});
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().code, ErrorCode::corrupt);
    EXPECT_NE(loaded.error().message.find(what), std::string::npos) << loaded.error().message;
    EXPECT_NE(loaded.error().message.find("backup"), std::string::npos);
  }
  template <class Value>
  static void expect_corrupt(const Result<Value>& read, const std::string& what) {
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::corrupt);
    EXPECT_NE(read.error().message.find(what), std::string::npos) << read.error().message;
  }
};

TEST_F(LmdbCorruption, TaskRecordFailsTheLoad) {
  make_store({PutTask{make_task(1)}, PutTask{make_task(17)}, PutTask{make_task(30)}});
  damage(broker::TaskBody(make_task(17)).view());
  expect_load_fails("tasks/17");
}

TEST_F(LmdbCorruption, QueueFailsTheLoad) {
  make_store({PutQueue{QueueNumber(3), "a-queue-of-its-own", false}});
  damage(broker::encode_queue({QueueNumber(3), "a-queue-of-its-own", false}));
  expect_load_fails("queues/3");
}

TEST_F(LmdbCorruption, TotalsFailTheLoad) {
  make_store({PutTotals{make_totals(5)}});
  damage(broker::encode_totals(make_totals(5)));
  expect_load_fails("totals");
}

TEST_F(LmdbCorruption, SpecIsNotServedButOthersAre) {
  for (const std::size_t size : {500U, 2'500U}) {
    settings_.directory += "-" + std::to_string(size);
    make_store({PutSpec{TaskSequence(1), make_bytes(size, 1)},
                PutSpec{TaskSequence(2), make_bytes(size, 2)}});
    damage(make_bytes(size, 2).view());
    const auto store = open();
    expect_corrupt(store->read_spec(TaskSequence(2)), "specs/2");
    EXPECT_TRUE(*store->read_spec(TaskSequence(1)) == make_bytes(size, 1));
  }
}

TEST_F(LmdbCorruption, ResultIsNotServed) {
  make_store({PutResult{TaskSequence(1), make_bytes(300, 1)}});
  damage(make_bytes(300, 1).view());
  expect_corrupt(open()->read_result(TaskSequence(1)), "results/1");
}

TEST_F(LmdbCorruption, LaterChunkOfAResultIsCheckedToo) {
  const SharedBytes result = make_bytes(10'000, 3);
  make_store({PutResult{TaskSequence(4), result}});
  damage(result.slice(8'200, 100).view());
  expect_corrupt(open()->read_result(TaskSequence(4)), "results/4/2");
}

TEST_F(LmdbCorruption, AttemptIsNotServed) {
  make_store({PutAttempt{TaskSequence(4), 2, make_attempt(2, 300)}});
  damage(broker::encode_attempt(make_attempt(2, 300)));
  expect_corrupt(open()->read_attempt(TaskSequence(4), 2), "attempts/4/2");
}

TEST_F(LmdbCorruption, MissingChunkIsReported) {
  make_store({PutSpec{TaskSequence(1), make_bytes(10'000, 1)}});
  {
    auto environment =
        broker::lmdb::Environment::open(settings_.directory, ByteCount::mebibytes(16), 8);
    auto transaction = broker::lmdb::Transaction::begin_write(*environment);
    const auto specs = transaction->open_table("specs", false);
    const broker::Key chunk = broker::Key::of_task(TaskSequence(1)).at_chunk(2);
    ASSERT_TRUE(*transaction->erase(*specs, chunk.view()));
    ASSERT_TRUE(transaction->commit().ok());
  }
  expect_corrupt(open()->read_spec(TaskSequence(1)), "specs/1/2");
}

// Where the directory of an entry is damaged, nobody knows what it says: the store does not open.
TEST_F(LmdbCorruption, DirectoryOfAnEntryFailsTheOpening) {
  make_store({PutTask{make_task(0x1122'3344'5566'7788)}});
  const std::array<std::uint8_t, 8> sequence = {0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
  damage(sequence);
  expect_refused(ErrorCode::corrupt, {"log entry 1 ", "checksum", "backup"});
}

class LogSurgery : public LmdbCorruption {
 protected:
  // A closed store of four entries.
  void make_entries() {
    const std::unique_ptr<broker::LmdbStore> store = open();
    for (std::uint64_t number = 1; number <= 4; ++number) {
      store->submit({PutTask{make_task(number)}});
      wait_durable(*store);
    }
  }
  // Puts the bytes of entry `from` in place of entry `to`; none: erases `to`.
  void put_entry(std::optional<std::uint64_t> from, std::uint64_t to) {
    using broker::EntryNumber;
    using broker::Key;
    auto environment =
        broker::lmdb::Environment::open(settings_.directory, ByteCount::mebibytes(16), 8);
    auto transaction = broker::lmdb::Transaction::begin_write(*environment);
    const auto log = transaction->open_table("log", false);
    const Key place = Key::of_entry(EntryNumber(to));
    if (from.has_value()) {
      const auto value = transaction->get(*log, Key::of_entry(EntryNumber(*from)).view());
      const std::vector<std::uint8_t> copy((*value)->begin(), (*value)->end());
      const auto room = transaction->reserve(*log, place.view(), copy.size(), 0);
      std::memcpy(room->data(), copy.data(), copy.size());
    } else {
      ASSERT_TRUE(*transaction->erase(*log, place.view()));
    }
    ASSERT_TRUE(transaction->commit().ok());
  }
};

TEST_F(LogSurgery, SoundEntryInTheWrongPlaceIsReported) {
  make_entries();
  put_entry(2, 3);
  expect_refused(ErrorCode::corrupt, {"log entry 3 "});
}

TEST_F(LogSurgery, MissingEntryIsReported) {
  make_entries();
  put_entry(std::nullopt, 2);
  expect_refused(ErrorCode::corrupt, {"entry 3 where 2 should be"});
}

}  // namespace
}  // namespace millrace::testing
