// Promises P1 and P14 at the system call they rest on: no batch is told as durable before a sync,
// and none after a sync that failed.
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <future>

#include "tests/unit/store/store_fixture.h"

namespace {

std::atomic<std::uint64_t> syncs = 0;
std::atomic<bool> next_sync_fails = false;

// A sync that lasts until it is let go.
struct SlowSync {
  std::promise<void> begun;
  std::promise<void> let_go;
};
std::atomic<SlowSync*> next_sync_is_slow = nullptr;

}  // namespace

// In the place of libc's, for all of this program.
extern "C" int fdatasync(int descriptor) {
  if (next_sync_fails.exchange(false)) {
    errno = EIO;
    return -1;
  }
  if (SlowSync* const slow = next_sync_is_slow.exchange(nullptr); slow != nullptr) {
    slow->begun.set_value();
    slow->let_go.get_future().wait();
  }
  ++syncs;
  return static_cast<int>(::syscall(SYS_fdatasync, descriptor));
}

namespace millrace::testing {
namespace {

using broker::LmdbStore;
using broker::PutSpec;
using broker::PutTask;

class LmdbSync : public LmdbStoreTest {};

TEST_F(LmdbSync, NoBatchIsDurableWithoutASync) {
  const auto store = open();
  for (std::uint64_t number = 1; number <= 10; ++number) {
    const std::uint64_t before = syncs;
    store->submit({PutTask{make_task(number)}});
    wait_durable(*store);
    EXPECT_GT(syncs, before);
  }
}

TEST_F(LmdbSync, NothingIsAcknowledgedAfterAFailedSync) {
  std::promise<Error> failed;
  std::future<Error> failure = failed.get_future();
  auto opened =
      LmdbStore::open(settings_, [&failed](const Error& error) { failed.set_value(error); });
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  LmdbStore& store = **opened;
  store.submit({PutTask{make_task(1)}});
  wait_durable(store);
  next_sync_fails = true;
  store.submit({PutTask{make_task(2)}});
  ASSERT_EQ(failure.wait_for(std::chrono::seconds(60)), std::future_status::ready);
  EXPECT_EQ(failure.get().code, ErrorCode::io);
  store.submit({PutTask{make_task(3)}});  // LMDB itself would take it
  EXPECT_EQ(store.durable(), BatchNumber(1));
}

// The index in memory changes with the commit: not before it, when what it names is not there yet.
// Afterwards a reader finds what is new, though it has looked at the state before.
TEST_F(LmdbSync, AReaderSeesACommitWholeOrNotAtAll) {
  const auto store = open();
  const SharedBytes payload = SharedBytes::copy_of("payload");
  store->submit({PutTask{make_task(1)}, PutSpec{TaskSequence(1), payload}});
  wait_durable(*store);

  SlowSync slow;
  next_sync_is_slow = &slow;
  const BatchNumber second =
      store->submit({PutTask{make_task(2)}, PutSpec{TaskSequence(2), payload}});
  slow.begun.get_future().wait();
  EXPECT_TRUE(store->read_spec(TaskSequence(1)).ok());
  const Result<SharedBytes> early = store->read_spec(TaskSequence(2));
  EXPECT_TRUE(!early.ok() && early.error().code == ErrorCode::not_found)
      << (early.ok() ? "it was found" : early.error().message);
  EXPECT_LT(store->durable(), second);

  slow.let_go.set_value();
  pollfd wakeup{store->wakeup_descriptor(), POLLIN, 0};
  while (store->durable() < second) ASSERT_GE(::poll(&wakeup, 1, 60'000), 1);
  const Result<SharedBytes> late = store->read_spec(TaskSequence(2));
  EXPECT_TRUE(late.ok()) << late.error().message;
}

// What gathers during a commit is taken by the next one, up to a bound that keeps its time short.
TEST_F(LmdbSync, ACommitIsBoundedInBytes) {
  settings_.map_bytes_max = ByteCount::gibibytes(2);
  const auto store = open();
  SlowSync slow;
  next_sync_is_slow = &slow;
  store->submit({PutTask{make_task(1)}});
  slow.begun.get_future().wait();
  const SharedBytes payload = make_bytes(7 << 20, 1);
  for (std::uint64_t number = 2; number <= 4; ++number) {
    store->submit({PutSpec{TaskSequence(number), payload}});
  }
  slow.let_go.set_value();
  wait_durable(*store);
  EXPECT_EQ(store->counters().batches, 4U);
  EXPECT_EQ(store->counters().commits, 3U);  // one, two, and what was too much for the second
}

}  // namespace
}  // namespace millrace::testing
