// A store that fills up says so early, lets what is running finish, and takes new tasks again by
// itself.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <thread>

#include "broker/store/preallocation.h"
#include "tests/unit/store/store_fixture.h"

namespace millrace::testing {
namespace {

using broker::EraseTask;
using broker::LmdbStore;
using broker::PutResult;
using broker::PutSpec;
using broker::PutTask;

// Looks again and again for a minute at most.
bool becomes_true(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

class LmdbSpace : public LmdbStoreTest {
 protected:
  // Submits tasks, as fast as the store says yes, until it has no room with nothing queued.
  std::vector<std::uint64_t> fill(LmdbStore& store, std::size_t spec_bytes) {
    std::vector<std::uint64_t> added;
    do {
      while (store.usage().accepting) {
        store.submit({PutTask{make_task(++sequence_)},
                      PutSpec{TaskSequence(sequence_), make_bytes(spec_bytes, sequence_)}});
        added.push_back(sequence_);
      }
      wait_durable(store);
    } while (store.usage().accepting);
    return added;
  }
  static void complete(LmdbStore& store, const std::vector<std::uint64_t>& tasks) {
    for (const std::uint64_t sequence : tasks) {
      store.submit({PutTask{make_task(sequence, 1)},
                    PutResult{TaskSequence(sequence), make_bytes(20, sequence)}});
      wait_durable(store);
    }
  }
  static void erase(LmdbStore& store, const std::vector<std::uint64_t>& tasks) {
    for (const std::uint64_t sequence : tasks) {
      store.submit({EraseTask{TaskSequence(sequence), true, true, 0}});
    }
    wait_durable(store);
  }

  std::uint64_t sequence_ = 0;
};

TEST_F(LmdbSpace, FullMapRefusesEarlyAndHeals) {
  settings_.map_bytes_max = ByteCount::mebibytes(2);
  const auto store = open();
  const std::vector<std::uint64_t> tasks = fill(*store, 1'000);
  EXPECT_GT(tasks.size(), 500U);
  EXPECT_LE(store->usage().map_bytes_used, store->usage().map_bytes_max);
  complete(*store, {tasks.begin(), tasks.begin() + 100});
  EXPECT_FALSE(store->usage().accepting);
  erase(*store, tasks);
  EXPECT_TRUE(becomes_true([&] { return store->usage().accepting; }));
}

// The file is fragmented by values of many sizes, and its end is reached many times: free pages in
// its middle must be as good as new ones for values of any size.
TEST_F(LmdbSpace, NeverFailsHoweverOftenItFills) {
  settings_.map_bytes_max = ByteCount::mebibytes(2);
  const auto store = open();
  Random random(1);
  std::vector<std::uint64_t> live;
  for (const std::size_t spec_bytes : {700U, 200'000U, 3'000U, 60'000U, 200'000U}) {
    const std::vector<std::uint64_t> added = fill(*store, spec_bytes);
    EXPECT_FALSE(added.empty()) << spec_bytes;
    live.insert(live.end(), added.begin(), added.end());
    std::vector<std::uint64_t> ended;
    std::vector<std::uint64_t> kept;
    for (const std::uint64_t sequence : live) {
      (random.chance(3, 4) ? ended : kept).push_back(sequence);
    }
    erase(*store, ended);
    live = kept;
    ASSERT_TRUE(becomes_true([&] { return store->usage().accepting; })) << spec_bytes;
  }
  for (const std::uint64_t sequence : live) {
    EXPECT_TRUE(store->read_spec(TaskSequence(sequence)).ok());
  }
}

TEST_F(LmdbSpace, FillIsKnownAgainAfterARestart) {
  settings_.map_bytes_max = ByteCount::mebibytes(2);
  std::vector<std::uint64_t> tasks;
  {
    const auto store = open();
    tasks = fill(*store, 1'000);
  }
  const auto store = open();
  const broker::StoreUsage usage = store->usage();
  EXPECT_GT(usage.map_bytes_used.value, usage.map_bytes_max.value / 100 * 70);
  fill(*store, 1'000);
  EXPECT_FALSE(store->usage().accepting);
  erase(*store, tasks);
  EXPECT_TRUE(becomes_true([&] { return store->usage().accepting; }));
}

TEST_F(LmdbSpace, MapIsCutToTheFileSystem) {
  settings_.map_bytes_max = ByteCount::gibibytes(16'000'000);
  const auto space = broker::disk_space_of(directory_.path());
  EXPECT_LE(open()->usage().map_bytes_max, space->total);
}

TEST_F(LmdbSpace, BlocksAreAllocatedAhead) {
  settings_.disk_reserve = ByteCount::mebibytes(2);
  const auto store = open();
  struct stat file {};
  ASSERT_EQ(::stat(data_file().c_str(), &file), 0);
  EXPECT_GE(file.st_size, 2 << 20);
  EXPECT_GE(file.st_blocks * 512, 2 << 20);
}

TEST_F(LmdbSpace, PreallocationLeavesADiskWithoutRoomAlone) {
  const std::string path = directory_.path() + "/file";
  std::ofstream(path) << std::string(4'096, 'x');
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  broker::Preallocation blocks(descriptor, ByteCount::mebibytes(1), ByteCount::mebibytes(100));
  ASSERT_TRUE(blocks.extend(ByteCount(4'096), ByteCount::kibibytes(100)).ok());
  EXPECT_EQ(blocks.allocated(), ByteCount(4'096));
  // Room for the reserve, not for a step more.
  ASSERT_TRUE(blocks.extend(ByteCount(4'096), ByteCount::kibibytes(1'500)).ok());
  EXPECT_EQ(blocks.allocated(), ByteCount(4'096) + ByteCount::mebibytes(1));
  ASSERT_TRUE(blocks.extend(ByteCount::mebibytes(1), ByteCount::gibibytes(1)).ok());
  EXPECT_EQ(blocks.allocated(), ByteCount::mebibytes(3));
  // Never past the most the file may have.
  ASSERT_TRUE(blocks.extend(ByteCount::mebibytes(100), ByteCount::gibibytes(1)).ok());
  EXPECT_EQ(blocks.allocated(), ByteCount::mebibytes(100));
  ::close(descriptor);
}

}  // namespace
}  // namespace millrace::testing
