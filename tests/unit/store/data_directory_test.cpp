// The directory itself: its lock, who holds it, and that its entries are durable.
#include "broker/store/data_directory.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/conformance/temporary_directory.h"

namespace millrace::testing {
namespace {

using broker::DataDirectory;
using ::testing::HasSubstr;
using ::testing::Not;

class DataDirectoryTest : public ::testing::Test {
 protected:
  // What is said while somebody else holds the lock and has left this note in it.
  std::string refusal(const std::string& note) {
    std::filesystem::create_directories(path_);
    std::ofstream(path_ + "/LOCK") << note;
    const int other = ::open((path_ + "/LOCK").c_str(), O_RDWR | O_CLOEXEC);
    EXPECT_EQ(::flock(other, LOCK_EX | LOCK_NB), 0);
    const Result<DataDirectory> opened = DataDirectory::open(path_);
    ::close(other);
    EXPECT_FALSE(opened.ok());
    return opened.ok() ? "" : opened.error().message;
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.path() + "/data";
};

TEST_F(DataDirectoryTest, TheHolderIsNamedAsFarAsItsNoteCanBeRead) {
  EXPECT_THAT(refusal("123\n"), HasSubstr("another broker is using it (process 123)"));
  EXPECT_THAT(refusal("45x"), HasSubstr("(process 45)"));
  EXPECT_THAT(refusal("1234567890123456"), HasSubstr("(process 1234567890123456)"));
  for (const char* note : {"", "x", "\n"}) {
    EXPECT_THAT(refusal(note), HasSubstr("another broker is using it; stop"));
    EXPECT_THAT(refusal(note), Not(HasSubstr("process")));
  }
}

TEST_F(DataDirectoryTest, ParentsThatCannotBeMadeAreAnError) {
  std::ofstream(path_) << "a file";
  const Result<DataDirectory> opened = DataDirectory::open(path_ + "/a/b");
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.error().message, HasSubstr("cannot create its parents"));
}

TEST_F(DataDirectoryTest, APathMayBeRelative) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(directory_.path());
  const Result<DataDirectory> opened = DataDirectory::open("data");
  EXPECT_TRUE(opened.ok() && opened->sync_entries().ok());
  std::filesystem::current_path(before);
  EXPECT_TRUE(std::filesystem::is_directory(path_));
}

TEST_F(DataDirectoryTest, ADirectoryThatIsGoneIsNotSynced) {
  const Result<DataDirectory> opened = DataDirectory::open(path_);
  ASSERT_TRUE(opened.ok());
  std::filesystem::remove_all(path_);
  const Status synced = opened->sync_entries();
  ASSERT_FALSE(synced.ok());
  EXPECT_THAT(synced.error().message, HasSubstr("cannot sync directory"));
}

TEST_F(DataDirectoryTest, AnEmptyDataFileIsNoNewStore) {
  const Result<DataDirectory> opened = DataDirectory::open(path_);
  ASSERT_TRUE(opened.ok());
  EXPECT_FALSE(*opened->has_data_file());
  std::ofstream(path_ + "/data.mdb") << "";
  EXPECT_EQ(opened->has_data_file().error().code, ErrorCode::corrupt);
  std::ofstream(path_ + "/data.mdb") << "content";
  EXPECT_TRUE(*opened->has_data_file());
}

}  // namespace
}  // namespace millrace::testing
