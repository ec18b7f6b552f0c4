// Fail-stop, and the kill that no handler sees: what was acknowledged is there, and nothing is
// acknowledged after a failure.
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <future>

#include "tests/unit/store/store_fixture.h"

namespace millrace::testing {
namespace {

using broker::LmdbStore;
using broker::PutSpec;
using broker::PutTask;

// A batch that is found again by its number.
std::vector<broker::Write> batch_of(std::uint64_t number, std::size_t spec_bytes = 100) {
  return {PutTask{make_task(number)},
          PutSpec{TaskSequence(number), make_bytes(spec_bytes, number)}};
}

// Batches 1 to durable() are there, each whole, and no others.
void expect_batches_up_to_durable(LmdbStore& store, std::size_t spec_bytes = 100) {
  std::vector<broker::TaskRecord> tasks;
  broker::LoadVisitor visitor;
  visitor.task = [&](const broker::TaskRecord& task) { tasks.push_back(task); };
  ASSERT_TRUE(store.load(visitor).ok());
  ASSERT_EQ(tasks.size(), store.durable().value);
  for (std::uint64_t number = 1; number <= tasks.size(); ++number) {
    ASSERT_EQ(tasks[number - 1], make_task(number));
    const Result<SharedBytes> spec = store.read_spec(TaskSequence(number));
    ASSERT_TRUE(spec.ok()) << spec.error().message;
    ASSERT_TRUE(*spec == make_bytes(spec_bytes, number));
  }
}

class LmdbFailure : public LmdbStoreTest {};

TEST_F(LmdbFailure, NothingIsAcknowledgedAfterAFailedWrite) {
  constexpr std::size_t kSpecBytes = 100'000;
  settings_.map_bytes_max = ByteCount::mebibytes(1);
  std::promise<Error> failed;
  std::future<Error> failure = failed.get_future();
  BatchNumber last_acknowledged;
  BatchNumber last_submitted;
  {
    auto opened =
        LmdbStore::open(settings_, [&failed](const Error& error) { failed.set_value(error); });
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    LmdbStore& store = **opened;
    for (std::uint64_t number = 1; number <= 20; ++number) {
      store.submit(batch_of(number, kSpecBytes));
    }
    ASSERT_EQ(failure.wait_for(std::chrono::seconds(60)), std::future_status::ready);
    EXPECT_EQ(failure.get().code, ErrorCode::store_full);
    last_acknowledged = store.durable();
    // Small enough to fit: LMDB itself would take it.
    last_submitted = store.submit({PutTask{make_task(999)}});
    EXPECT_LT(last_acknowledged, last_submitted);
  }
  settings_.map_bytes_max = ByteCount::mebibytes(16);
  const auto store = open();
  EXPECT_EQ(store->durable(), last_acknowledged);
  expect_batches_up_to_durable(*store, kSpecBytes);
}

// The system refuses to write past a limit, as a broken disk would at any place.
void write_until_refused(const broker::StoreSettings& settings) {
  auto store = *LmdbStore::open(settings);
  store->submit(batch_of(1));
  wait_durable(*store);
  std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{4'096, 4'096};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  store->submit(batch_of(2));
  wait_durable(*store);
  std::_Exit(0);
}

TEST_F(LmdbFailure, BrokerEndsWithItsOwnExitStatus) {
  GTEST_FLAG_SET(death_test_style, "fast");
  EXPECT_EXIT(write_until_refused(settings_),
              ::testing::ExitedWithCode(broker::kStoreFailureExitStatus),
              "the store cannot write, so the broker stops: LMDB: commit");
  const auto store = open();
  EXPECT_EQ(store->durable(), BatchNumber(1));
  EXPECT_EQ(store->epoch(), Epoch(2));
  expect_batches_up_to_durable(*store);
}

// Submits for ever, and reports each number that became durable.
[[noreturn]] void submit_and_report(const broker::StoreSettings& settings, int pipe) {
  auto opened = LmdbStore::open(settings);
  if (!opened.ok()) std::_Exit(1);
  LmdbStore& store = **opened;
  std::uint64_t reported = store.durable().value;
  std::uint64_t next = reported + 1;
  while (true) {
    for (int burst = 0; burst < 3; ++burst) store.submit(batch_of(next++));
    while (store.durable().value == reported) {
      pollfd wakeup{store.wakeup_descriptor(), POLLIN, 0};
      ::poll(&wakeup, 1, -1);
      store.acknowledge_wakeup();
    }
    reported = store.durable().value;
    if (::write(pipe, &reported, sizeof(reported)) != sizeof(reported)) std::_Exit(1);
  }
}

// The newest number reported by a child that is killed after `reports` of them.
std::uint64_t run_and_kill(const broker::StoreSettings& settings, int reports) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    submit_and_report(settings, ends[1]);
  }
  ::close(ends[1]);
  std::uint64_t acknowledged = 0;
  std::uint64_t number = 0;
  for (int seen = 0; ::read(ends[0], &number, sizeof(number)) == sizeof(number); ++seen) {
    acknowledged = number;
    if (seen == reports) ::kill(child, SIGKILL);
  }
  ::close(ends[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
  return acknowledged;
}

TEST_F(LmdbFailure, WhatWasAcknowledgedBeforeAKillIsThere) {
  std::uint64_t epoch = 0;
  for (const int reports : {0, 1, 7, 40, 90}) {
    const std::uint64_t acknowledged = run_and_kill(settings_, reports);
    const auto store = open();
    EXPECT_GE(store->durable().value, acknowledged);
    EXPECT_GT(acknowledged, 0U);
    EXPECT_EQ(store->epoch().value, epoch + 2);
    epoch = store->epoch().value;
    expect_batches_up_to_durable(*store);
  }
}

TEST_F(LmdbFailure, ClosingCommitsWhatWasSubmitted) {
  {
    const auto store = open();
    for (std::uint64_t number = 1; number <= 50; ++number) store->submit(batch_of(number));
  }
  const auto store = open();
  EXPECT_EQ(store->durable(), BatchNumber(50));
  expect_batches_up_to_durable(*store);
}

}  // namespace
}  // namespace millrace::testing
