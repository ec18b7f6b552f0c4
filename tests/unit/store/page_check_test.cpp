// No bit that decides which pages count is trusted: what LMDB would follow blindly is held against
// the rest of the file first.
#include <filesystem>

#include "broker/store/page_check.h"
#include "broker/store/page_layout.h"
#include "broker/store/store_check.h"
#include "broker/store/store_reader.h"
#include "tests/unit/store/store_fixture.h"

namespace millrace::testing {
namespace {

using broker::PutSpec;
using broker::PutTask;
using broker::StoreReader;
using broker::lmdb::Meta;
using broker::lmdb::PageHead;

constexpr std::size_t kPageBytes = 4'096;
constexpr std::size_t kMetaAt = sizeof(PageHead);

class PageCheck : public LmdbStoreTest {
 protected:
  // A closed store of some commits; its bytes.
  std::string make_file() {
    {
      const auto store = open();
      for (std::uint64_t number = 1; number <= 30; ++number) {
        store->submit({PutTask{make_task(number)},
                       PutSpec{TaskSequence(number), make_bytes(number * 200, number)}});
        wait_durable(*store);
      }
    }
    return read_file(data_file());
  }
  static Meta meta_of(const std::string& file, std::size_t page) {
    Meta meta;
    std::memcpy(&meta, file.data() + page * kPageBytes + kMetaAt, sizeof(meta));
    return meta;
  }
  static std::size_t newest_meta(const std::string& file) {
    return meta_of(file, 0).transaction > meta_of(file, 1).transaction ? 0 : 1;
  }
  void expect_damage(const std::string& file, const std::string& what) {
    std::ofstream(data_file(), std::ios::binary) << file;
    const auto reader = StoreReader::open(settings_.directory);
    ASSERT_FALSE(reader.ok()) << what;
    EXPECT_NE(reader.error().message.find("data.mdb"), std::string::npos) << what;
    EXPECT_EQ(reader.error().message.find('\n'), std::string::npos) << what;
    expect_refused(ErrorCode::corrupt, {"data.mdb", "backup"});
  }
  // Every bit of a field of the meta page.
  void expect_every_bit_counts(const std::string& file, std::size_t page, std::size_t field,
                               std::size_t bytes) {
    for (std::size_t bit = 0; bit < bytes * 8; ++bit) {
      expect_bit_counts(file, page, field, bit);
      if (HasFailure()) return;
    }
  }
  void expect_bit_counts(const std::string& file, std::size_t page, std::size_t field,
                         std::size_t bit) {
    std::string damaged = file;
    char& byte = damaged[page * kPageBytes + kMetaAt + field + bit / 8];
    byte = static_cast<char>(byte ^ (1 << (bit % 8)));
    expect_damage(damaged, "bit " + std::to_string(bit) + " of the field at " +
                               std::to_string(field) + " of page " + std::to_string(page));
  }
};

TEST_F(PageCheck, SoundFilesPass) {
  make_file();
  const auto reader = StoreReader::open(settings_.directory);
  ASSERT_TRUE(reader.ok()) << reader.error().message;
}

// LMDB takes the newer meta: one that is taken for older, or for none, brings back what was
// replaced.
TEST_F(PageCheck, MetaPageThatWentBackIsNoticed) {
  const std::string file = make_file();
  for (const std::size_t page : {0U, 1U}) {
    expect_every_bit_counts(file, page, offsetof(Meta, transaction), sizeof(Meta::transaction));
  }
}

TEST_F(PageCheck, EveryBitOfRootsAndCountsIsHeldAgainstThePages) {
  const std::string file = make_file();
  const std::size_t page = newest_meta(file);
  expect_every_bit_counts(file, page, offsetof(Meta, free_list), sizeof(Meta::free_list));
  expect_every_bit_counts(file, page, offsetof(Meta, tables), sizeof(Meta::tables));
  expect_every_bit_counts(file, page, offsetof(Meta, last_page), sizeof(Meta::last_page));
}

// A page that is on the free list and in use would be written over.
TEST_F(PageCheck, PageThatIsFreeAndInUseIsNoticed) {
  std::string file = make_file();
  const std::uint64_t root = meta_of(file, newest_meta(file)).free_list.root;
  const std::size_t last_word = (root + 1) * kPageBytes - sizeof(std::uint64_t);
  std::uint64_t number = 0;
  std::memcpy(&number, &file[last_word], sizeof(number));
  ASSERT_GT(number, 2U) << "the lowest free page";
  const std::uint64_t other = number - 1;
  std::memcpy(&file[last_word], &other, sizeof(other));
  expect_damage(file, "another page on the free list");
}

// What the walk of a damaged page did before there was a check: it ended the process.
TEST_F(PageCheck, GarbagePagesAreReportedWhereverTheyAre) {
  const std::string file = make_file();
  std::size_t reported = 0;
  for (std::size_t page = 0; page < file.size() / kPageBytes; ++page) {
    std::string damaged = file;
    damaged.replace(page * kPageBytes, kPageBytes, make_bytes(kPageBytes, page).text());
    std::ofstream(data_file(), std::ios::binary) << damaged;
    const auto reader = StoreReader::open(settings_.directory);
    if (!reader.ok()) {
      EXPECT_EQ(reader.error().code, ErrorCode::corrupt) << reader.error().message;
      ++reported;
      continue;
    }
    const auto summary = broker::check_store(**reader, [](const std::string&) {});
    EXPECT_TRUE(summary.ok());
  }
  EXPECT_GT(reported, 10U);
}

// A first start that was cut off before anything was durable, at any point, is begun anew.
TEST_F(LmdbStoreTest, FirstStartThatWasCutOffIsBegunAnew) {
  const std::string unfinished = settings_.directory + "/unfinished-copy";
  std::filesystem::create_directories(unfinished);
  std::ofstream(unfinished + "/data.mdb") << "half a file";
  std::ofstream(unfinished + "/lock.mdb") << "";
  EXPECT_EQ(open()->epoch(), Epoch(1));
  EXPECT_FALSE(std::filesystem::exists(unfinished));
  EXPECT_EQ(open()->epoch(), Epoch(2));
}

}  // namespace
}  // namespace millrace::testing
