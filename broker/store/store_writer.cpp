#include "broker/store/store_writer.h"

#include <chrono>

#include "broker/store/log_cleaner.h"
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

StoreWriter::StoreWriter(const lmdb::Environment& environment, MDB_dbi log, WriteApplier applier,
                         SharedLogIndex& index, SpaceWatch space, SpaceWatch::Level level,
                         Wakeup wakeup, BatchNumber last, FailureHandler on_failure)
    : environment_(environment),
      log_(log),
      applier_(std::move(applier)),
      index_(index),
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
    Status done = taken.empty() ? tidy_up() : commit_all(taken);
    if (!done.ok()) {
      // Fail-stop: LMDB would carry on after a failed sync, as if the next one made up for it.
      on_failure_(done.error());
      return;
    }
    taken.clear();
  }
}

bool StoreWriter::wait(std::vector<Batch>& taken) {
  const auto pause = needs_cleaning(index_.for_writer(), level_) ? kIdleLook.zero() : kIdleLook;
  std::unique_lock lock(mailbox_mutex_);
  mailbox_filled_.wait_for(lock, pause, [this] { return ending_ || !mailbox_.empty(); });
  if (ending_ && mailbox_.empty()) return false;
  taken.swap(mailbox_);
  return true;
}

Status StoreWriter::commit_all(std::span<const Batch> batches) {
  while (!batches.empty()) {
    const Group group = next_group(batches);
    Status committed = commit_group(batches.first(group.batches), group);
    if (!committed.ok()) return committed;
    batches = batches.subspan(group.batches);
  }
  return Done{};
}

Status StoreWriter::tidy_up() {
  if (!needs_cleaning(index_.for_writer(), level_)) {
    return refresh_space(ByteCount(), ByteCount());
  }
  return commit_group({}, Group());
}

StoreWriter::Group StoreWriter::next_group(std::span<const Batch> batches) const {
  Group group;
  for (const Batch& batch : batches) {
    WriteSize size = group.size;
    size += batch.size;
    const std::uint64_t pages = size.pages + size.bytes.value / environment_.page_bytes();
    const bool full = pages > level_.commit_pages || size.bytes > kBytesPerCommit;
    if (full && group.batches > 0) break;
    ++group.batches;
    group.writes += batch.writes.size();
    group.size = size;
  }
  return group;
}

Status StoreWriter::commit_group(std::span<const Batch> batches, const Group& group) {
  const auto start = std::chrono::steady_clock::now();
  LogAppender& appender = applier_.appender();
  appender.clear_update();
  Result<lmdb::Transaction> transaction = lmdb::Transaction::begin_write(environment_);
  if (!transaction.ok()) return transaction.error();
  // Cleaned first, so that what is carried forward stands before what replaces it.
  if (Status cleaned = clean(*transaction, group.size.bytes); !cleaned.ok()) return cleaned;
  for (const Batch& batch : batches) {
    applier_.begin_batch(batch.number);
    for (const Write& write : batch.writes) {
      if (Status applied = applier_.apply(*transaction, write); !applied.ok()) return applied;
    }
  }
  if (Status finished = applier_.finish(*transaction); !finished.ok()) return finished;
  if (Status committed = transaction->commit(); !committed.ok()) return committed;
  index_.publish(appender.update());
  if (!batches.empty()) announce(group, batches.back().number, since(start));

  // Also a commit that only drops writes a page.
  ByteCount written = group.size.bytes + ByteCount(environment_.page_bytes());
  for (const LogUpdate::Entry& entry : appender.update().entries) {
    written = written + ByteCount(entry.stored_bytes);
  }
  return refresh_space(written, group.size.bytes);
}

Status StoreWriter::clean(lmdb::Transaction& transaction, ByteCount written) {
  const LogIndex& index = index_.for_writer();
  if (!needs_cleaning(index, level_)) return Done{};
  return clean_log(transaction, log_, index, applier_.appender(), garbage_allowed(index, level_),
                   cleaning_work(written, level_, environment_.page_bytes()));
}

void StoreWriter::announce(const Group& group, BatchNumber last, Duration took) {
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

Status StoreWriter::refresh_space(ByteCount written, ByteCount taken) {
  Result<SpaceWatch::Level> level = space_.refresh(written);
  if (!level.ok()) return level.error();
  const std::lock_guard lock(report_mutex_);
  level_ = *level;
  queued_bytes_.fetch_sub(taken.value, std::memory_order_relaxed);
  return Done{};
}

}  // namespace millrace::broker
