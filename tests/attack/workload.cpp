#include "tests/attack/workload.h"

#include <poll.h>

#include <algorithm>

#include "broker/store/store_check.h"
#include "broker/store/store_reader.h"

namespace millrace::attack {
namespace {

using broker::EraseSpec;
using broker::EraseTask;
using broker::LmdbStore;
using broker::PutAttempt;
using broker::PutQueue;
using broker::PutResult;
using broker::PutSpec;
using broker::PutTask;
using broker::PutTotals;
using broker::QueueNumber;
using broker::TaskRecord;

constexpr std::uint64_t kTasksMost = 16;
constexpr char kQueueName[] = "mail";

Verdict wrong(std::uint64_t batches, std::string problem) {
  return {batches, std::move(problem), false};
}
Verdict reported(std::uint64_t batches, const std::string& problem) {
  return {batches, problem, true};
}

}  // namespace

// ---- what is written ----------------------------------------------------------------------------

std::vector<broker::Write> Workload::next_batch() {
  Writes writes;
  if (++batches_ == 1) writes.emplace_back(PutQueue{QueueNumber(1), kQueueName, false});
  for (std::uint64_t left = 1 + random_.below(3); left > 0; --left) accept(writes);
  for (std::uint64_t left = random_.below(4); left > 0; --left) advance(writes);
  while (state_.tasks.size() > kTasksMost) forget(writes);
  writes.emplace_back(PutTotals{state_.totals});
  return writes;
}

void Workload::accept(Writes& writes) {
  const std::uint64_t sequence = ++state_.totals.last_sequence;
  ++state_.totals.accepted;
  TaskRecord& task = state_.tasks[sequence];
  task.sequence = TaskSequence(sequence);
  task.id = make_random_id<TaskId>(random_);
  task.queue = QueueNumber(1);
  task.max_attempts = 3;
  task.content_hash = random_.next();
  task.spec_stored = true;
  const SharedBytes& spec = state_.specs[sequence] = bytes();
  task.payload_bytes = ByteCount(spec.size());
  writes.emplace_back(PutTask{task});
  writes.emplace_back(PutSpec{task.sequence, spec});
}

void Workload::advance(Writes& writes) {
  auto task = state_.tasks.begin();
  std::advance(task, random_.below(state_.tasks.size()));
  if (task->second.state != TaskState::pending) return;
  if (random_.chance(1, 3)) return fail(task->first, writes);
  succeed(task->first, writes);
}

void Workload::fail(std::uint64_t sequence, Writes& writes) {
  TaskRecord& task = state_.tasks[sequence];
  if (task.attempt_records == task.max_attempts) return;
  ++task.attempts;
  ++task.attempt_records;
  task.fence = task.fence.next();
  AttemptRecord& attempt = state_.attempts[{sequence, task.attempt_records}];
  attempt.attempt = task.attempts;
  attempt.fence = task.fence;
  attempt.reason = Reason::crashed;
  attempt.worker = "w1";
  attempt.error = std::string(random_.below(200), 'e');
  writes.emplace_back(PutAttempt{task.sequence, task.attempt_records, attempt});
  writes.emplace_back(PutTask{task});
}

void Workload::succeed(std::uint64_t sequence, Writes& writes) {
  TaskRecord& task = state_.tasks[sequence];
  task.state = TaskState::succeeded;
  task.spec_stored = random_.chance(1, 2);
  if (!task.spec_stored) {
    state_.specs.erase(sequence);
    writes.emplace_back(EraseSpec{task.sequence});
  }
  const SharedBytes& result = state_.results[sequence] = bytes();
  task.result_bytes = ByteCount(result.size());
  ++state_.totals.succeeded;
  writes.emplace_back(PutTask{task});
  writes.emplace_back(PutResult{task.sequence, result});
}

void Workload::forget(Writes& writes) {
  const TaskRecord task = state_.tasks.begin()->second;
  const std::uint64_t sequence = task.sequence.value;
  writes.emplace_back(EraseTask{task.sequence, state_.specs.erase(sequence) > 0,
                                state_.results.erase(sequence) > 0, task.attempt_records});
  for (std::uint16_t number = 1; number <= task.attempt_records; ++number) {
    state_.attempts.erase({sequence, number});
  }
  state_.tasks.erase(sequence);
  ++state_.totals.pruned;
}

SharedBytes Workload::bytes() {
  std::vector<std::uint8_t> bytes(
      static_cast<std::size_t>(1 + random_.below(random_.chance(1, 6) ? 12'000 : 500)));
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random_.next());
  return SharedBytes::adopt(std::move(bytes));
}

Life::Life(std::uint64_t seed, std::uint64_t count) {
  Workload workload(seed);
  states.push_back(workload.state());
  for (std::uint64_t number = 1; number <= count; ++number) {
    batches.push_back(workload.next_batch());
    states.push_back(workload.state());
  }
}

broker::StoreSettings small_store(const std::string& directory) {
  broker::StoreSettings settings;
  settings.directory = directory;
  settings.map_bytes_max = ByteCount::mebibytes(2);
  settings.disk_reserve = ByteCount::kibibytes(64);
  return settings;
}

void live(LmdbStore& store, const Life& life, std::uint64_t batches,
          const std::function<void(std::uint64_t)>& durable) {
  std::uint64_t next = store.durable().value + 1;
  while (next <= batches) {
    // Now and then three at once: they share a commit, or the later ones do.
    const std::uint64_t last = std::min(batches, next % 4 == 0 ? next + 2 : next);
    BatchNumber newest;
    for (; next <= last; ++next) newest = store.submit(life.batches[next - 1]);
    while (store.durable() < newest) {
      pollfd wakeup{store.wakeup_descriptor(), POLLIN, 0};
      ::poll(&wakeup, 1, -1);
      store.acknowledge_wakeup();
    }
    durable(newest.value);
  }
}

// ---- what must be there -------------------------------------------------------------------------

namespace {

// The parts of one store, read one by one and held against a state.
class Comparison {
 public:
  Comparison(LmdbStore& store, const State& state, std::uint64_t batches)
      : store_(store), state_(state), batches_(batches) {}

  Verdict run() {
    verdict_.batches = batches_;
    load();
    const auto [first, last] = sequences();
    for (std::uint64_t sequence = first; ok() && sequence <= last; ++sequence) {
      const TaskSequence task(sequence);
      read(store_.read_spec(task), state_.specs, sequence, "specs");
      read(store_.read_result(task), state_.results, sequence, "results");
      for (std::uint16_t number = 1; number <= 3; ++number) {
        read(store_.read_attempt(task, number), state_.attempts, std::pair(sequence, number),
             "attempts");
      }
    }
    return verdict_;
  }

 private:
  bool ok() const { return verdict_.problem.empty(); }
  void fail(Verdict verdict) {
    if (ok()) verdict_ = std::move(verdict);
  }
  // With some that were forgotten.
  std::pair<std::uint64_t, std::uint64_t> sequences() const {
    const std::uint64_t last = state_.totals.last_sequence;
    return {last > 2 * kTasksMost ? last - 2 * kTasksMost : 1, last};
  }

  void load() {
    std::map<std::uint64_t, TaskRecord> tasks;
    broker::Totals totals;
    bool queue_is_there = false;
    broker::LoadVisitor visitor;
    visitor.totals = [&](const broker::Totals& stored) { totals = stored; };
    visitor.queue = [&](const broker::StoredQueue& queue) {
      queue_is_there = queue.name == kQueueName;
    };
    visitor.task = [&](const TaskRecord& task) { tasks[task.sequence.value] = task; };
    const Status loaded = store_.load(visitor);
    if (!loaded.ok()) return fail(reported(batches_, loaded.error().message));
    if (tasks != state_.tasks) return fail(wrong(batches_, "other tasks than were written"));
    if (totals != state_.totals) return fail(wrong(batches_, "other books than were written"));
    if (queue_is_there != (batches_ > 0)) return fail(wrong(batches_, "another queue"));
  }

  template <class Value, class Map>
  void read(const Result<Value>& found, const Map& map, const typename Map::key_type& key,
            const char* part) {
    const auto written = map.find(key);
    if (!found.ok() && found.error().code == ErrorCode::not_found && written == map.end()) return;
    if (!found.ok()) return fail(reported(batches_, found.error().message));
    if (written == map.end()) return fail(wrong(batches_, std::string(part) + " that are gone"));
    if (!(*found == written->second)) {
      return fail(wrong(batches_, std::string(part) + " other than were written"));
    }
  }

  LmdbStore& store_;
  const State& state_;
  std::uint64_t batches_;
  Verdict verdict_;
};

Verdict check(const std::string& directory, std::uint64_t batches) {
  const auto reader = broker::StoreReader::open(directory);
  if (!reader.ok()) return reported(batches, reader.error().message);
  std::string first;
  const auto summary = broker::check_store(**reader, [&](const std::string& line) {
    if (first.empty()) first = line;
  });
  if (!summary.ok()) return reported(batches, summary.error().message);
  return {batches, first, !first.empty()};
}

}  // namespace

Verdict compare(LmdbStore& store, const Life& life, std::uint64_t batches) {
  if (batches >= life.states.size()) return wrong(batches, "more batches than were written");
  return Comparison(store, life.states[batches], batches).run();
}

// Opens the store, lets `act` have it, and closes it.
static Verdict with_store(const std::string& directory,
                          const std::function<Verdict(LmdbStore&)>& act) {
  const auto opened = LmdbStore::open(small_store(directory));
  if (!opened.ok()) return reported(0, opened.error().message);
  return act(**opened);
}

Verdict examine(const std::string& directory, const Life& life, std::uint64_t acknowledged) {
  Verdict verdict = with_store(directory, [&](LmdbStore& store) {
    const std::uint64_t batches = store.durable().value;
    if (batches >= acknowledged) return compare(store, life, batches);
    return wrong(batches, std::to_string(batches) + " batches are there of " +
                              std::to_string(acknowledged) + " that were acknowledged");
  });
  const std::uint64_t batches = verdict.batches;
  if (verdict.problem.empty()) verdict = check(directory, batches);
  if (!verdict.problem.empty()) return verdict;
  // It can be worked with.
  const std::uint64_t further = std::min<std::uint64_t>(batches + 2, life.batches.size());
  verdict = with_store(directory, [&](LmdbStore& store) {
    live(store, life, further, [](std::uint64_t) {});
    return compare(store, life, further);
  });
  if (verdict.problem.empty()) verdict = check(directory, further);
  verdict.batches = batches;
  return verdict;
}

}  // namespace millrace::attack
