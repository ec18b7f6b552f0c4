// What every data directory has, and what is said where it is missing or makes no sense.
#include "broker/store/store_identity.h"

#include <filesystem>

#include "broker/store/store_reader.h"
#include "tests/unit/store/forged_store.h"

namespace millrace::testing {
namespace {

using broker::Key;
using broker::TableId;

class StoreIdentityTest : public ForgedStore {
 protected:
  StoreIdentityTest() { open(); }
};

TEST_F(StoreIdentityTest, OlderFormatIsRefused) {
  forge([](Forge& forge) {
    forge.value(TableId::meta, Key::of_meta(broker::kMetaFormat),
                std::string("\1\0\0\0\0\0\0\0", 8));
  });
  expect_refused(ErrorCode::misconfigured, {"format 1", "before the first release"});
}

TEST_F(StoreIdentityTest, TheFormatBeforeIsTakenOver) {
  const std::string format_2("\2\0\0\0\0\0\0\0", 8);
  forge([&](Forge& forge) {
    forge.value(TableId::meta, Key::of_meta(broker::kMetaFormat), format_2);
  });
  open();
  std::vector<std::uint8_t> format;
  forge([&](Forge& forge) {
    format = forge.raw_copy(TableId::meta, Key::of_meta(broker::kMetaFormat).view());
  });
  ASSERT_GT(format.size(), 8U);
  EXPECT_EQ(format[format.size() - 8], broker::kFormatVersion);
}

TEST_F(StoreIdentityTest, MissingFormatIsCorrupt) {
  forge([](Forge& forge) { forge.erase(TableId::meta, Key::of_meta(broker::kMetaFormat)); });
  expect_refused(ErrorCode::corrupt, {"meta/format is missing"});
}

TEST_F(StoreIdentityTest, DamagedFormatIsCorrupt) {
  forge([](Forge& forge) {
    forge.raw(TableId::meta, Key::of_meta(broker::kMetaFormat).view(), bytes_of_text("0123456789"));
  });
  expect_refused(ErrorCode::corrupt, {"meta/format", "checksum"});
}

TEST_F(StoreIdentityTest, MissingEpochAndStoreIdAreCorrupt) {
  forge([](Forge& forge) { forge.erase(TableId::meta, Key::of_meta(broker::kMetaEpoch)); });
  expect_refused(ErrorCode::corrupt, {"meta/epoch, but every data directory has it"});
  forge([](Forge& forge) { forge.erase(TableId::meta, Key::of_meta(broker::kMetaStoreId)); });
  expect_refused(ErrorCode::corrupt, {"meta/store id, but every data directory has it"});
}

TEST_F(StoreIdentityTest, EpochThatIsNoNumberIsCorrupt) {
  forge(
      [](Forge& forge) { forge.value(TableId::meta, Key::of_meta(broker::kMetaEpoch), "seven"); });
  expect_refused(ErrorCode::corrupt, {"meta/epoch is not a number"});
}

TEST_F(StoreIdentityTest, DirectoryThatNoBrokerWroteToIsNoStoreToRead) {
  settings_.directory += "-new";
  std::filesystem::create_directory(settings_.directory);
  ASSERT_TRUE(broker::lmdb::Environment::open(settings_.directory, settings_.map_bytes_max,
                                              broker::kAllTables.size())
                  .ok());
  const auto reader = broker::StoreReader::open(settings_.directory);
  ASSERT_FALSE(reader.ok());
  EXPECT_NE(reader.error().message.find("no broker ever wrote to it"), std::string::npos);
}

TEST_F(StoreIdentityTest, KeyInTheLogThatIsNoNumberIsCorrupt) {
  forge(
      [](Forge& forge) { forge.raw(TableId::log, bytes_of_text("key"), bytes_of_text("value")); });
  expect_refused(ErrorCode::corrupt, {"the log has entry 0"});
}

TEST_F(StoreIdentityTest, MissingTableIsCorrupt) {
  forge([](Forge& forge) {
    ASSERT_EQ(mdb_drop(forge.transaction.handle(), forge.tables.handle(TableId::attempts), 1), 0);
  });
  expect_refused(ErrorCode::corrupt, {"no table attempts, but every data directory has it"});
}

}  // namespace
}  // namespace millrace::testing
