// What a store refuses to open, and how it says so.
#include <sys/stat.h>

#include <filesystem>

#include "broker/store/record_codec.h"
#include "tests/unit/store/store_fixture.h"

namespace millrace::testing {
namespace {

using broker::PutTask;

// Writes a number into meta, as a broker of another version would.
void put_meta(const std::string& directory, std::string_view name, std::uint64_t number) {
  auto environment = broker::lmdb::Environment::open(directory, ByteCount::mebibytes(16), 8);
  auto transaction = broker::lmdb::Transaction::begin_write(*environment);
  const auto tables = broker::Tables::open(*transaction, true);
  ASSERT_TRUE(tables
                  ->put(*transaction, broker::TableId::meta, broker::Key::of_meta(name),
                        broker::encode_number(number))
                  .ok());
  ASSERT_TRUE(transaction->commit().ok());
}

TEST_F(LmdbStoreTest, DirectoryIsMadeForItsOwnerAlone) {
  settings_.directory = directory_.path() + "/a/b/data";
  open();
  struct stat status {};
  ASSERT_EQ(::stat(settings_.directory.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  ASSERT_EQ(::stat(data_file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(LmdbStoreTest, StoreIdIsDrawnOnce) {
  const auto first = open()->store_id();
  EXPECT_EQ(open()->store_id(), first);
  settings_.directory += "-other";
  EXPECT_NE(open()->store_id(), first);
}

TEST_F(LmdbStoreTest, SecondBrokerIsRefused) {
  const auto store = open();
  expect_refused(ErrorCode::misconfigured,
                 {settings_.directory, "process " + std::to_string(::getpid())});
  store->submit({PutTask{make_task(1)}});
  wait_durable(*store);
}

TEST_F(LmdbStoreTest, NewerFormatIsRefusedAndLeftUnchanged) {
  make_store({PutTask{make_task(1)}});
  put_meta(settings_.directory, broker::kMetaFormat, broker::kFormatVersion + 1);
  const std::string before = read_file(data_file());
  expect_refused(ErrorCode::misconfigured,
                 {"format " + std::to_string(broker::kFormatVersion + 1), "newer broker"});
  EXPECT_TRUE(read_file(data_file()) == before);
}

TEST_F(LmdbStoreTest, FormatThatMakesNoSenseIsCorrupt) {
  make_store({PutTask{make_task(1)}});
  put_meta(settings_.directory, broker::kMetaFormat, 0);
  expect_refused(ErrorCode::corrupt, {"meta/format"});
}

TEST_F(LmdbStoreTest, DataOfAnotherProgramIsRefused) {
  std::filesystem::create_directory(settings_.directory);
  {
    auto environment =
        broker::lmdb::Environment::open(settings_.directory, ByteCount::mebibytes(16), 8);
    auto transaction = broker::lmdb::Transaction::begin_write(*environment);
    ASSERT_TRUE(transaction->open_table("recipes", true).ok());
    ASSERT_TRUE(transaction->commit().ok());
  }
  expect_refused(ErrorCode::misconfigured, {"not written by a Millrace broker"});
}

TEST_F(LmdbStoreTest, TruncatedFileIsRefused) {
  std::vector<broker::Write> writes;
  for (std::uint64_t i = 1; i <= 2'000; ++i) writes.push_back(PutTask{make_task(i)});
  make_store(std::move(writes));
  // One page at a time from the end of what is used: a mapped read past the end kills the process.
  std::uintmax_t used = 0;
  {
    const auto environment =
        broker::lmdb::Environment::open(settings_.directory, ByteCount::mebibytes(16), 8);
    used = environment->high_water().value;
  }
  for (const std::uintmax_t size : {used - 1, used / 2, std::uintmax_t{8'192}, std::uintmax_t{1}}) {
    std::filesystem::resize_file(data_file(), size);
    expect_refused(ErrorCode::corrupt, {});
  }
  std::filesystem::resize_file(data_file(), 0);
  expect_refused(ErrorCode::corrupt, {"data.mdb is empty"});
}

TEST_F(LmdbStoreTest, GarbageIsRefused) {
  std::filesystem::create_directory(settings_.directory);
  std::ofstream(data_file()) << std::string(100'000, 'x');
  expect_refused(ErrorCode::corrupt, {settings_.directory});
}

TEST_F(LmdbStoreTest, FileInPlaceOfTheDirectoryIsRefused) {
  std::ofstream(settings_.directory) << "no directory";
  expect_refused(ErrorCode::misconfigured, {settings_.directory});
}

TEST_F(LmdbStoreTest, SettingsThatContradictThemselvesAreRefused) {
  settings_.resume_below_percent = 90;
  expect_refused(ErrorCode::misconfigured, {"90", "85"});
  settings_.resume_below_percent = 0;
  expect_refused(ErrorCode::misconfigured, {"percent"});
  settings_.resume_below_percent = 80;
  settings_.accept_below_percent = 96;
  expect_refused(ErrorCode::misconfigured, {"96"});
  settings_.accept_below_percent = 85;
  settings_.map_bytes_max = ByteCount::kibibytes(1'023);
  expect_refused(ErrorCode::misconfigured, {"1 MiB"});
  settings_.directory.clear();
  expect_refused(ErrorCode::misconfigured, {"--data"});
}

}  // namespace
}  // namespace millrace::testing
