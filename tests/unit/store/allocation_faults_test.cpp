// The blocks ahead of the data file, on file systems that cannot, or cannot any more.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "broker/store/preallocation.h"
#include "tests/unit/store/failing_calls.h"
#include "tests/unit/store/store_fixture.h"

namespace millrace::testing {
namespace {

using broker::Preallocation;

constexpr ByteCount kReserve = ByteCount::kibibytes(64);
constexpr ByteCount kMost = ByteCount::mebibytes(1);
constexpr ByteCount kPlenty = ByteCount::gibibytes(1);

class AllocationFaults : public LmdbStoreTest {
 protected:
  AllocationFaults() {
    const std::string path = directory_.path() + "/file";
    std::ofstream(path) << std::string(4'096, 'x');
    file_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  }
  ~AllocationFaults() override {
    refuse_allocations(0, 0);
    fail_call(0);
    ::close(file_);
  }

  int file_ = -1;
};

TEST_F(AllocationFaults, ASignalIsNoFailure) {
  Preallocation blocks(file_, kReserve, kMost);
  refuse_allocations(EINTR, 2);
  ASSERT_TRUE(blocks.extend(ByteCount(4'096), kPlenty).ok());
  EXPECT_GE(blocks.allocated(), ByteCount(4'096) + kReserve);
}

TEST_F(AllocationFaults, AFileSystemThatCannotIsAskedOnce) {
  for (const int code : {EOPNOTSUPP, ENOSYS}) {
    Preallocation blocks(file_, kReserve, kMost);
    refuse_allocations(code, 1);
    ASSERT_TRUE(blocks.extend(ByteCount(4'096), kPlenty).ok());
    EXPECT_FALSE(blocks.supported());
    ASSERT_TRUE(blocks.extend(ByteCount(4'096), kPlenty).ok());
    EXPECT_EQ(blocks.allocated(), ByteCount(4'096));
  }
}

TEST_F(AllocationFaults, AFullDiskIsNoFailure) {
  for (const int code : {ENOSPC, EDQUOT, EFBIG}) {
    Preallocation blocks(file_, kReserve, kMost);
    refuse_allocations(code, 2);  // the step, and what is needed at least
    ASSERT_TRUE(blocks.extend(ByteCount(4'096), kPlenty).ok());
    EXPECT_TRUE(blocks.supported());
    EXPECT_EQ(blocks.allocated(), ByteCount(4'096));
  }
}

TEST_F(AllocationFaults, AFullDiskWhoseFileCannotBeMeasuredIsAFailure) {
  Preallocation blocks(file_, kReserve, kMost);
  ASSERT_TRUE(blocks.extend(ByteCount(), ByteCount()).ok());  // measured once
  refuse_allocations(ENOSPC, 1);
  fail_call(2);
  EXPECT_FALSE(blocks.extend(ByteCount(4'096), kPlenty).ok());
  EXPECT_EQ(failed_call(), "fstat");
}

// Without blocks ahead, what counts is how much the disk says is free.
TEST_F(AllocationFaults, WithoutBlocksAheadTheFreeSpaceDecides) {
  refuse_allocations(EOPNOTSUPP, 1'000);
  EXPECT_TRUE(open()->usage().accepting);
  settings_.disk_reserve = ByteCount::gibibytes(16'000'000);
  EXPECT_FALSE(open()->usage().accepting);
}

// Where the disk cannot give the blocks ahead, no task is taken for which there may be no room.
TEST_F(AllocationFaults, AFullDiskRefusesSubmits) {
  refuse_allocations(ENOSPC, 1'000);
  EXPECT_FALSE(open()->usage().accepting);
}

// A file that is allocated to its end needs no reserve beyond it.
TEST_F(AllocationFaults, AnAllocatedMapIsRoomEnough) {
  settings_.map_bytes_max = ByteCount::mebibytes(1);
  settings_.disk_reserve = ByteCount::mebibytes(2);
  EXPECT_TRUE(open()->usage().accepting);
}

}  // namespace
}  // namespace millrace::testing
