#include "broker/store/store_writer.h"

#include <chrono>

#include "broker/store/record_codec.h"
#include "common/base/check.h"

namespace millrace::broker {
namespace {

// One transaction takes batches up to this mark and up to the pages that SpaceWatch allows, so that
// a commit's time and its share of the room kept free stay bounded. A single batch is taken
// whatever its size.
constexpr ByteCount kBytesPerCommit = ByteCount::mebibytes(16);

// How often space is looked at while nothing is written: it comes back when others free it.
constexpr auto kIdleLook = std::chrono::seconds(1);

Duration since(std::chrono::steady_clock::time_point start) {
  const auto passed = std::chrono::steady_clock::now() - start;
  return Duration::nanoseconds(
      std::chrono::duration_cast<std::chrono::nanoseconds>(passed).count());
}

}  // namespace

StoreWriter::StoreWriter(const lmdb::Environment& environment, const Tables& tables,
                         WriteApplier applier, SpaceWatch space, SpaceWatch::Level level,
                         Wakeup wakeup, BatchNumber last, FailureHandler on_failure)
    : environment_(environment),
      tables_(tables),
      applier_(std::move(applier)),
      space_(std::move(space)),
      on_failure_(std::move(on_failure)),
      wakeup_(std::move(wakeup)),
      durable_(last.value),
      level_(level),
      thread_([this] { run(); }) {}

StoreWriter::~StoreWriter() {
  {
    const std::lock_guard lock(mailbox_mutex_);
    ending_ = true;
  }
  mailbox_filled_.notify_one();
  thread_.join();
}

void StoreWriter::submit(BatchNumber number, std::vector<Write> writes) {
  MILLRACE_CHECK(!writes.empty(), "an empty batch is not written");
  Batch batch{number, std::move(writes), WriteSize()};
  for (const Write& write : batch.writes) batch.size += size_of(write);
  queued_bytes_.fetch_add(batch.size.bytes.value, std::memory_order_relaxed);
  bool was_empty = false;
  {
    const std::lock_guard lock(mailbox_mutex_);
    was_empty = mailbox_.empty();
    mailbox_.push_back(std::move(batch));
  }
  if (was_empty) mailbox_filled_.notify_one();
}

StoreUsage StoreWriter::usage() const {
  const std::lock_guard lock(report_mutex_);
  StoreUsage usage = level_.usage;
  const ByteCount queued(queued_bytes_.load(std::memory_order_relaxed));
  if (queued > level_.acceptable) usage.accepting = false;
  return usage;
}

StoreCounters StoreWriter::counters() const {
  const std::lock_guard lock(report_mutex_);
  return counters_;
}

LatencySummary StoreWriter::commit_times() const {
  const std::lock_guard lock(report_mutex_);
  return durations_;
}

void StoreWriter::run() {
  std::vector<Batch> taken;
  while (wait(taken)) {
    Status done = taken.empty() ? refresh_space(ByteCount()) : commit_all(taken);
    if (!done.ok()) {
      // Fail-stop: LMDB would carry on after a failed sync, as if the next one made up for it.
      on_failure_(done.error());
      return;
    }
    taken.clear();
  }
}

bool StoreWriter::wait(std::vector<Batch>& taken) {
  std::unique_lock lock(mailbox_mutex_);
  mailbox_filled_.wait_for(lock, kIdleLook, [this] { return ending_ || !mailbox_.empty(); });
  if (ending_ && mailbox_.empty()) return false;
  taken.swap(mailbox_);
  return true;
}

Status StoreWriter::commit_all(std::span<const Batch> batches) {
  while (!batches.empty()) {
    const Group group = next_group(batches);
    const auto start = std::chrono::steady_clock::now();
    const std::span<const Batch> now = batches.first(group.batches);
    if (Status committed = commit_group(now); !committed.ok()) return committed;
    publish(group, now.back().number, since(start));
    if (Status looked = refresh_space(group.size.bytes); !looked.ok()) return looked;
    batches = batches.subspan(group.batches);
  }
  return Done{};
}

StoreWriter::Group StoreWriter::next_group(std::span<const Batch> batches) const {
  Group group;
  for (const Batch& batch : batches) {
    WriteSize size = group.size;
    size += batch.size;
    const bool full = size.pages > level_.commit_pages || size.bytes > kBytesPerCommit;
    if (full && group.batches > 0) break;
    ++group.batches;
    group.writes += batch.writes.size();
    group.size = size;
  }
  return group;
}

Status StoreWriter::commit_group(std::span<const Batch> batches) {
  Result<lmdb::Transaction> transaction = lmdb::Transaction::begin_write(environment_);
  if (!transaction.ok()) return transaction.error();
  for (const Batch& batch : batches) {
    for (const Write& write : batch.writes) {
      if (Status applied = applier_.apply(*transaction, write); !applied.ok()) return applied;
    }
  }
  Status numbered = tables_.put(*transaction, TableId::meta, Key::of_meta(kMetaBatch),
                                encode_number(batches.back().number.value));
  if (!numbered.ok()) return numbered;
  return transaction->commit();
}

void StoreWriter::publish(const Group& group, BatchNumber last, Duration took) {
  {
    const std::lock_guard lock(report_mutex_);
    ++counters_.commits;
    counters_.batches += group.batches;
    counters_.writes += group.writes;
    counters_.commit_time_total += took;
    if (took > counters_.commit_time_max) counters_.commit_time_max = took;
    durations_.record(took);
  }
  durable_.store(last.value, std::memory_order_release);
  wakeup_.signal();
}

Status StoreWriter::refresh_space(ByteCount written) {
  Result<SpaceWatch::Level> level = space_.refresh(written);
  if (!level.ok()) return level.error();
  const std::lock_guard lock(report_mutex_);
  level_ = *level;
  queued_bytes_.fetch_sub(written.value, std::memory_order_relaxed);
  return Done{};
}

}  // namespace millrace::broker
