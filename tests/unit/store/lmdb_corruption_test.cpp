// Damage to a closed data file is reported when it is met, and never served.
#include <cstring>

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
  damage(broker::encode_task(make_task(17)));
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
  expect_load_fails("meta/totals");
}

TEST_F(LmdbCorruption, SpecIsNotServedButOthersAre) {
  make_store(
      {PutSpec{TaskSequence(1), make_bytes(500, 1)}, PutSpec{TaskSequence(2), make_bytes(500, 2)}});
  damage(make_bytes(500, 2).view());
  const auto store = open();
  expect_corrupt(store->read_spec(TaskSequence(2)), "specs/2");
  EXPECT_TRUE(*store->read_spec(TaskSequence(1)) == make_bytes(500, 1));
}

TEST_F(LmdbCorruption, LaterChunkOfAResultIsCheckedToo) {
  const SharedBytes result = make_bytes(10'000, 3);
  make_store({PutResult{TaskSequence(4), result}});
  damage(result.slice(8'100, 100).view());
  expect_corrupt(open()->read_result(TaskSequence(4)), "results/4/4");
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

TEST_F(LmdbCorruption, SoundRecordUnderAnotherKeyIsReported) {
  make_store({PutTask{make_task(1)}});
  {
    auto environment =
        broker::lmdb::Environment::open(settings_.directory, ByteCount::mebibytes(16), 8);
    auto transaction = broker::lmdb::Transaction::begin_write(*environment);
    const auto tasks = transaction->open_table("tasks", false);
    const auto value = transaction->get(*tasks, broker::Key::of_task(TaskSequence(1)).view());
    const std::vector<std::uint8_t> copy((*value)->begin(), (*value)->end());
    const auto room =
        transaction->reserve(*tasks, broker::Key::of_task(TaskSequence(2)).view(), copy.size(), 0);
    std::memcpy((*room)->data(), copy.data(), copy.size());
    ASSERT_TRUE(transaction->commit().ok());
  }
  expect_load_fails("tasks/2");
}

}  // namespace
}  // namespace millrace::testing
