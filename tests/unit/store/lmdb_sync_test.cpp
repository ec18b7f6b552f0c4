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

}  // namespace

// In the place of libc's, for all of this program.
extern "C" int fdatasync(int descriptor) {
  if (next_sync_fails.exchange(false)) {
    errno = EIO;
    return -1;
  }
  ++syncs;
  return static_cast<int>(::syscall(SYS_fdatasync, descriptor));
}

namespace millrace::testing {
namespace {

using broker::LmdbStore;
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

}  // namespace
}  // namespace millrace::testing
