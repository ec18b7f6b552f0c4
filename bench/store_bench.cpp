// What durability costs the store's writer thread: the whole life of tasks in groups of one commit
// each. Counters: CPU and bytes a task. A temporary folder on the disk to measure is TMPDIR.
#include <benchmark/benchmark.h>
#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "broker/store/lmdb_store.h"

namespace {

using namespace millrace;
using namespace millrace::broker;

constexpr std::uint64_t kRetained = 20'000;  // ended tasks that are kept before they are erased
constexpr std::size_t kSpecBytes = 216;      // of a task with a payload of 100 bytes
constexpr std::size_t kResultBytes = 100;

double cpu_seconds(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}
// Of all threads but this one: here the store's writer alone.
double other_threads_cpu_seconds() {
  return cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
}

class Bench {
 public:
  Bench() {
    std::string pattern = std::filesystem::temp_directory_path() / "millrace-bench-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    settings_.directory = pattern;
    auto opened = LmdbStore::open(settings_);
    if (!opened.ok()) std::abort();
    store_ = *std::move(opened);
  }
  ~Bench() {
    store_.reset();
    std::filesystem::remove_all(settings_.directory);
  }

  // Accepts, leases and completes `count` tasks, and erases as many once enough are kept.
  void live(std::uint64_t count) {
    const std::uint64_t first = last_ + 1;
    last_ += count;
    accept(first);
    std::vector<Write> writes;
    for (std::uint64_t number = first; number <= last_; ++number) {
      writes.push_back(PutTask{task(number, TaskState::in_progress)});
    }
    commit(std::move(writes));
    writes = {};
    for (std::uint64_t number = first; number <= last_; ++number) {
      writes.push_back(PutResult{TaskSequence(number), result_});
      writes.push_back(EraseSpec{TaskSequence(number)});
    }
    for (std::uint64_t number = first; number <= last_; ++number) {
      writes.push_back(PutTask{task(number, TaskState::succeeded)});
    }
    while (last_ - erased_ > kRetained) {
      writes.push_back(EraseTask{TaskSequence(++erased_), false, true, 0});
    }
    writes.push_back(PutTotals{totals()});
    commit(std::move(writes));
  }

  // Leaves `count` tasks waiting.
  void backlog(std::uint64_t count) {
    for (std::uint64_t left = count; left > 0;) {
      const std::uint64_t now = std::min<std::uint64_t>(left, 1'000);
      last_ += now;
      accept(last_ + 1 - now);
      left -= now;
    }
    erased_ = last_;
  }

  void restart() {
    store_.reset();
    auto opened = LmdbStore::open(settings_);
    if (!opened.ok()) std::abort();
    store_ = *std::move(opened);
  }
  std::uint64_t load() {
    std::uint64_t tasks = 0;
    LoadVisitor visitor;
    visitor.task = [&tasks](const TaskRecord&) { ++tasks; };
    if (!store_->load(visitor).ok()) std::abort();
    return tasks;
  }
  ByteCount used() const { return store_->usage().map_bytes_used; }

 private:
  void accept(std::uint64_t first) {
    std::vector<Write> writes;
    for (std::uint64_t number = first; number <= last_; ++number) {
      writes.push_back(PutSpec{TaskSequence(number), spec_});
    }
    for (std::uint64_t number = first; number <= last_; ++number) {
      writes.push_back(PutTask{task(number, TaskState::pending)});
    }
    writes.push_back(PutTotals{totals()});
    commit(std::move(writes));
  }
  TaskRecord task(std::uint64_t number, TaskState state) const {
    TaskRecord record;
    record.sequence = TaskSequence(number);
    record.queue = QueueNumber(1);
    record.state = state;
    record.content_hash = number * 0x9e37'79b9'7f4a'7c15U;
    std::memcpy(record.id.bytes.data(), &record.content_hash, sizeof(record.content_hash));
    record.fence = Fence(1);
    record.attempts = 1;
    record.max_attempts = 3;
    record.accepted = Time::since_epoch(Duration::days(20'000));
    record.spec_stored = true;
    return record;
  }
  Totals totals() const {
    Totals totals;
    totals.accepted = totals.last_sequence = last_;
    return totals;
  }
  void commit(std::vector<Write> writes) {
    const BatchNumber batch = store_->submit(std::move(writes));
    while (store_->durable() < batch) {
      pollfd wakeup{store_->wakeup_descriptor(), POLLIN, 0};
      ::poll(&wakeup, 1, -1);
      store_->acknowledge_wakeup();
    }
  }

  StoreSettings settings_;
  std::unique_ptr<LmdbStore> store_;
  SharedBytes spec_ = SharedBytes::adopt(std::vector<std::uint8_t>(kSpecBytes, 's'));
  SharedBytes result_ = SharedBytes::adopt(std::vector<std::uint8_t>(kResultBytes, 'r'));
  std::uint64_t last_ = 0;
  std::uint64_t erased_ = 0;
};

// range(0): tasks a group; range(1): tasks that wait behind all the time.
void whole_life(benchmark::State& state) {
  Bench bench;
  bench.backlog(static_cast<std::uint64_t>(state.range(1)));
  const double before = other_threads_cpu_seconds();
  for (auto _ : state) bench.live(static_cast<std::uint64_t>(state.range(0)));
  const double cpu = other_threads_cpu_seconds() - before;
  const auto tasks = static_cast<double>(state.iterations() * state.range(0));
  state.counters["cpu_us_a_task"] = cpu * 1e6 / tasks;
  state.counters["used_MB"] = static_cast<double>(bench.used().value) / 1e6;
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(whole_life)
    ->ArgNames({"group", "waiting"})
    ->Args({1, 0})
    ->Args({100, 0})
    ->Args({1'000, 0})
    ->Args({10'000, 0})
    ->Args({1'000, 1'000'000})
    ->UseRealTime();

// From a closed data directory to the last task visited.
void restart(benchmark::State& state) {
  Bench bench;
  bench.backlog(static_cast<std::uint64_t>(state.range(0)));
  std::uint64_t tasks = 0;
  for (auto _ : state) {
    bench.restart();
    tasks = bench.load();
  }
  state.counters["tasks"] = static_cast<double>(tasks);
}
BENCHMARK(restart)->ArgNames({"waiting"})->Arg(1'000'000)->Unit(benchmark::kMillisecond);

}  // namespace
