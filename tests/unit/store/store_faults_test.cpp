// Every call that the store makes fails once, one after the other: each time the store says so in
// one line or stops, nothing is acknowledged that is not there, and the next start finds all that
// was.
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <set>

#include "tests/unit/store/failing_calls.h"
#include "tests/unit/store/store_fixture.h"

namespace millrace::testing {
namespace {

using broker::LmdbStore;
using broker::Write;

constexpr std::uint64_t kBatches = 6;
constexpr std::uint64_t kCallsMost = 20'000;

// Small and large parts, some of them erased again, so that every table is written and read.
std::vector<Write> batch_of(std::uint64_t number) {
  std::vector<Write> writes = {
      broker::PutTask{make_task(number)},
      broker::PutSpec{TaskSequence(number), make_bytes(number % 2 == 0 ? 100 : 30'000, number)},
      broker::PutResult{TaskSequence(number), make_bytes(number % 2 == 0 ? 30'000 : 50, number)},
      broker::PutAttempt{TaskSequence(number), 1, make_attempt(1)},
      broker::PutQueue{broker::QueueNumber(1), "mail", number % 2 == 0}};
  if (number == 4) {  // a small spec in place of a large one
    writes.emplace_back(broker::PutSpec{TaskSequence(3), make_bytes(60, 3)});
  }
  if (number > 2) {
    writes.emplace_back(broker::EraseSpec{TaskSequence(number - 1)});
    writes.emplace_back(broker::EraseTask{TaskSequence(number - 2), number == 3, true, 1});
  }
  broker::Totals totals;
  totals.accepted = number;
  totals.last_sequence = number;
  writes.emplace_back(broker::PutTotals{totals});
  return writes;
}

class StoreFaults : public LmdbStoreTest {
 protected:
  StoreFaults() { settings_.disk_reserve = ByteCount::kibibytes(64); }

  static void expect_readable(const Error& error) {
    EXPECT_FALSE(error.message.empty());
    EXPECT_EQ(error.message.find('\n'), std::string::npos) << error.message;
  }

  // A life of the store: it begins, loads, writes, reads and ends, as far as it gets.
  void live(std::uint64_t first, std::uint64_t last) {
    std::atomic<bool> stopped{false};
    Opened opened = LmdbStore::open(settings_, [&stopped](const Error& error) {
      expect_readable(error);
      stopped = true;
    });
    if (!opened.ok()) return expect_readable(opened.error());
    LmdbStore& store = **opened;
    if (const Status loaded = store.load({}); !loaded.ok()) return expect_readable(loaded.error());
    for (std::uint64_t number = first; number <= last; ++number) {
      const BatchNumber batch = store.submit(batch_of(number));
      if (!durable_or_stopped(store, batch, stopped)) return;
      acknowledged_ = number;
      read(store, number);
    }
  }

  static bool durable_or_stopped(LmdbStore& store, BatchNumber batch,
                                 const std::atomic<bool>& stopped) {
    while (store.durable() < batch && !stopped) {
      pollfd wakeup{store.wakeup_descriptor(), POLLIN, 0};
      ::poll(&wakeup, 1, 10);
      store.acknowledge_wakeup();
    }
    return store.durable() >= batch;
  }

  // What is there or an error, and never something else.
  static void read(LmdbStore& store, std::uint64_t number) {
    // Whatever is read first takes the snapshot.
    if (number % 2 == 1) {
      const Result<AttemptRecord> first = store.read_attempt(TaskSequence(number), 1);
      if (!first.ok()) expect_readable(first.error());
    }
    const Result<SharedBytes> spec = store.read_spec(TaskSequence(number));
    if (spec.ok()) {
      EXPECT_TRUE(*spec == make_bytes(number % 2 == 0 ? 100 : 30'000, number));
    } else {
      expect_readable(spec.error());
    }
    const Result<SharedBytes> result = store.read_result(TaskSequence(number));
    if (!result.ok()) expect_readable(result.error());
    const Result<AttemptRecord> attempt = store.read_attempt(TaskSequence(number), 1);
    if (attempt.ok()) {
      EXPECT_EQ(*attempt, make_attempt(1));
    } else {
      expect_readable(attempt.error());
    }
  }

  // What was acknowledged, and at most the batch under way beyond it.
  void expect_sound() {
    const Opened store = try_open();
    ASSERT_TRUE(store.ok()) << store.error().message;
    std::set<std::uint64_t> tasks;
    broker::Totals totals;
    broker::LoadVisitor visitor;
    visitor.totals = [&](const broker::Totals& stored) { totals = stored; };
    visitor.task = [&](const broker::TaskRecord& task) {
      EXPECT_EQ(task, make_task(task.sequence.value));
      tasks.insert(task.sequence.value);
    };
    const Status loaded = (*store)->load(visitor);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    const std::uint64_t last = totals.last_sequence;
    EXPECT_GE(last, acknowledged_);
    EXPECT_LE(last, acknowledged_ + 1);
    std::set<std::uint64_t> expected;
    if (last >= 1) expected.insert(last);
    if (last >= 2) expected.insert(last - 1);
    EXPECT_EQ(tasks, expected);
  }

  std::uint64_t acknowledged_ = 0;
};

TEST_F(StoreFaults, EachCallFailsOnce) {
  std::set<std::string> failed;
  for (std::uint64_t number = 1; number <= kCallsMost; ++number) {
    SCOPED_TRACE("call " + std::to_string(number) + " fails");
    acknowledged_ = 0;
    // Three batches of a first life that nothing disturbs, for the odd numbers; none for the even.
    std::filesystem::remove_all(settings_.directory);
    fail_call(0);
    if (number % 2 == 1) live(1, kBatches / 2);
    fail_call((number + 1) / 2);
    live(acknowledged_ + 1, kBatches);
    const std::string call = failed_call();
    fail_call(0);
    expect_sound();
    if (HasFailure()) FAIL() << call;
    if (call.empty() && number % 2 == 0) break;  // both kinds of life came to their ends
    failed.insert(call);
  }
  for (const char* call :
       {"fstat",        "statvfs",      "fallocate",     "mkdir",           "open",
        "flock",        "ftruncate",    "pwrite",        "fsync",           "getrandom",
        "eventfd",      "mdb_env_open", "mdb_txn_begin", "mdb_txn_commit",  "mdb_txn_renew",
        "mdb_dbi_open", "mdb_get",      "mdb_put",       "mdb_cursor_open", "mdb_cursor_get"}) {
    EXPECT_TRUE(failed.contains(call)) << call << " never failed";
  }
}

}  // namespace
}  // namespace millrace::testing
