// Every call fails once while the log is being cleaned: what was acknowledged is there, and the
// directory is sound to the last record.
#include <atomic>
#include <filesystem>

#include "broker/store/store_check.h"
#include "tests/unit/store/failing_calls.h"
#include "tests/unit/store/small_tasks.h"
#include "tests/unit/store/store_fixture.h"

namespace millrace::testing {
namespace {

using broker::LmdbStore;

constexpr std::uint64_t kBatchesBefore = 120;
constexpr std::uint64_t kBatches = 5;
constexpr std::uint64_t kCallsMost = 5'000;

class CleaningFaults : public LmdbStoreTest {
 protected:
  CleaningFaults() {
    settings_.map_bytes_max = ByteCount::mebibytes(1);
    settings_.disk_reserve = ByteCount::kibibytes(64);
    // So much garbage that every commit cleans.
    const auto store = open();
    for (std::uint64_t number = 1; number <= kBatchesBefore; ++number) {
      store->submit(small_task_batch(number));
      wait_durable(*store);
    }
  }

  // Goes on until the first failure; the last batch that was acknowledged.
  std::uint64_t live() {
    std::atomic<bool> stopped{false};
    Opened opened = LmdbStore::open(settings_, [&stopped](const Error&) { stopped = true; });
    if (!opened.ok()) return kBatchesBefore;
    LmdbStore& store = **opened;
    for (std::uint64_t number = kBatchesBefore + 1; number <= kBatchesBefore + kBatches; ++number) {
      const BatchNumber batch = store.submit(small_task_batch(number));
      while (store.durable() < batch && !stopped) {
        pollfd wakeup{store.wakeup_descriptor(), POLLIN, 0};
        ::poll(&wakeup, 1, 10);
        store.acknowledge_wakeup();
      }
      if (store.durable() < batch) return number - 1;
    }
    return kBatchesBefore + kBatches;
  }

  void expect_sound(std::uint64_t acknowledged) {
    const auto reader = broker::StoreReader::open(settings_.directory);
    ASSERT_TRUE(reader.ok()) << reader.error().message;
    const auto checked =
        broker::check_store(**reader, [](const std::string& line) { ADD_FAILURE() << line; });
    ASSERT_TRUE(checked.ok()) << checked.error().message;
    const std::uint64_t stay = acknowledged / 5;
    EXPECT_GE(checked->tasks, stay);
    EXPECT_LE(checked->tasks, stay + 2);
  }
};

TEST_F(CleaningFaults, EachCallFailsOnce) {
  const std::string kept = directory_.path() + "/kept";
  std::filesystem::rename(settings_.directory, kept);
  for (std::uint64_t number = 1; number <= kCallsMost; ++number) {
    SCOPED_TRACE("call " + std::to_string(number) + " fails");
    std::filesystem::remove_all(settings_.directory);
    std::filesystem::copy(kept, settings_.directory);
    fail_call(number);
    const std::uint64_t acknowledged = live();
    const std::string call = failed_call();
    fail_call(0);
    expect_sound(acknowledged);
    if (HasFailure()) FAIL() << call;
    if (call.empty()) return;
  }
  FAIL() << "there is no end to the calls";
}

}  // namespace
}  // namespace millrace::testing
