// Every call fails once while the data is checked, copied and compacted: an error of one line, no
// half copy, and the data as it was.
#include <filesystem>
#include <functional>

#include "broker/store/store_copy.h"
#include "tests/unit/store/failing_calls.h"
#include "tests/unit/store/small_tasks.h"
#include "tests/unit/store/store_fixture.h"

namespace millrace::testing {
namespace {

constexpr std::uint64_t kCallsMost = 5'000;

class StoreToolsFaults : public LmdbStoreTest {
 protected:
  StoreToolsFaults() {
    const auto store = open();
    for (std::uint64_t number = 1; number <= 12; ++number) store->submit(small_task_batch(number));
    broker::TaskRecord large = broker::TaskRecord();
    large.sequence = TaskSequence(13);
    large.id.bytes[0] = 1;
    large.queue = broker::QueueNumber(1);
    large.spec_stored = true;
    large.attempt_records = 1;
    broker::Totals totals;
    totals.accepted = 13;
    totals.last_sequence = 13;
    totals.pruned = 9;
    store->submit(
        {broker::PutTask{large}, broker::PutSpec{TaskSequence(13), make_bytes(20'000, 13)},
         broker::PutAttempt{TaskSequence(13), 1, make_attempt(1)}, broker::PutTotals{totals}});
    wait_durable(*store);
  }

  static void report(const std::string&) {}

  Result<broker::StoreCheckSummary> check(const std::string& directory) {
    const auto reader = broker::StoreReader::open(directory);
    if (!reader.ok()) return reader.error();
    return broker::check_store(**reader, report);
  }
  void expect_sound(const std::string& directory) {
    const auto checked = check(directory);
    ASSERT_TRUE(checked.ok()) << checked.error().message;
    EXPECT_EQ(checked->problems, 0U);
    EXPECT_EQ(checked->tasks, 4U);
  }

  // `use` says whether it did what it should.
  void fail_each_call(const std::function<Status()>& use) {
    for (std::uint64_t number = 1; number <= kCallsMost; ++number) {
      SCOPED_TRACE("call " + std::to_string(number) + " fails");
      fail_call(number);
      const Status used = use();
      const std::string call = failed_call();
      fail_call(0);
      if (!used.ok()) {
        EXPECT_EQ(used.error().message.find('\n'), std::string::npos) << used.error().message;
        EXPECT_FALSE(call.empty()) << used.error().message;
        EXPECT_FALSE(std::filesystem::exists(copy_ + "/data.mdb"));
      }
      EXPECT_FALSE(std::filesystem::exists(settings_.directory + "/unfinished-copy"));
      expect_sound(settings_.directory);
      if (HasFailure()) FAIL() << call;
      if (call.empty()) return;
    }
    FAIL() << "there is no end to the calls";
  }

  std::string copy_ = directory_.path() + "/copy";
};

TEST_F(StoreToolsFaults, ACheckSurvivesEachCallThatFails) {
  fail_each_call([this]() -> Status {
    const auto checked = check(settings_.directory);
    if (!checked.ok()) return checked.error();
    return Done{};
  });
}

TEST_F(StoreToolsFaults, ACopyIsWholeOrNotThere) {
  fail_each_call([this]() -> Status {
    std::filesystem::remove_all(copy_);
    const auto copied = broker::copy_store(settings_.directory, copy_, report);
    if (!copied.ok()) return copied.error();
    return Done{};
  });
  expect_sound(copy_);
}

TEST_F(StoreToolsFaults, WhatIsCompactedStaysSound) {
  fail_each_call([this]() -> Status {
    const auto compacted = broker::compact(settings_.directory, report);
    if (!compacted.ok()) return compacted.error();
    EXPECT_LE(compacted->after, compacted->before);
    return Done{};
  });
}

// An attempt that was killed leaves its half copy: the next one takes its place.
TEST_F(StoreToolsFaults, AHalfCopyIsReplaced) {
  std::filesystem::create_directories(copy_ + "/unfinished-copy");
  std::ofstream(copy_ + "/unfinished-copy/data.mdb") << "half";
  const auto copied = broker::copy_store(settings_.directory, copy_, report);
  ASSERT_TRUE(copied.ok()) << copied.error().message;
  expect_sound(copy_);
}

TEST_F(StoreToolsFaults, DirectoriesThatAreNoneAreRefused) {
  EXPECT_EQ(check(directory_.path() + "/nothing").error().code, ErrorCode::not_found);
  std::filesystem::create_directories(copy_);
  std::ofstream(copy_ + "/data.mdb") << "";
  EXPECT_EQ(check(copy_).error().code, ErrorCode::corrupt);
  EXPECT_EQ(broker::copy_store(settings_.directory, copy_, report).error().code,
            ErrorCode::misconfigured);
}

}  // namespace
}  // namespace millrace::testing
