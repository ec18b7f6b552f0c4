#include "broker/store/write_applier.h"

#include <variant>

#include "broker/store/record_codec.h"

namespace millrace::broker {
namespace {

// Above every key seen so far: the value can be appended, and the key becomes the highest.
Tables::Place place_of(TaskSequence sequence, TaskSequence& last) {
  if (sequence <= last) return Tables::Place::anywhere;
  last = sequence;
  return Tables::Place::last;
}

// Key, header, and LMDB's node header and slot.
constexpr std::uint64_t kOverheadBytes = 48;

// A value of this size: two chunks fill a page, and it may begin within one that others share.
WriteSize cost_of_value(std::size_t bytes) {
  const std::uint64_t chunks = chunks_for(bytes);
  // Half as much again: of values that are a bit over a third of a page, only two fit in it.
  return {ByteCount((bytes + kOverheadBytes * chunks) * 3 / 2), chunks / 2 + 1};
}
WriteSize cost_of_erasing(std::uint64_t values) {
  return {ByteCount(kOverheadBytes), values};
}

WriteSize cost_of(const PutTask&) {
  return {ByteCount(kTaskBodyBytes + kOverheadBytes), 1};
}
WriteSize cost_of(const PutSpec& change) {
  return cost_of_value(change.bytes.size());
}
WriteSize cost_of(const EraseSpec&) {
  return cost_of_erasing(1);
}
WriteSize cost_of(const PutResult& change) {
  return cost_of_value(change.bytes.size());
}
WriteSize cost_of(const PutAttempt& change) {
  return cost_of_value(change.record.error.size() + change.record.worker.size() + kOverheadBytes);
}
WriteSize cost_of(const EraseTask& change) {
  return cost_of_erasing(1U + change.has_spec + change.has_result + change.attempt_records);
}
WriteSize cost_of(const EraseAttempts& change) {
  return cost_of_erasing(change.attempt_records);
}
WriteSize cost_of(const PutQueue& change) {
  return cost_of_value(change.name.size() + 1);
}
WriteSize cost_of(const PutTotals&) {
  return {ByteCount(kTotalsBodyBytes + kOverheadBytes), 1};
}

}  // namespace

Result<WriteApplier> WriteApplier::open(const lmdb::Transaction& transaction,
                                        const Tables& tables) {
  WriteApplier applier(tables);
  const Result<TaskSequence> task = tables.last_sequence(transaction, TableId::tasks);
  if (!task.ok()) return task.error();
  const Result<TaskSequence> spec = tables.last_sequence(transaction, TableId::specs);
  if (!spec.ok()) return spec.error();
  applier.last_task_ = *task;
  applier.last_spec_ = *spec;
  return applier;
}

Status WriteApplier::apply(lmdb::Transaction& transaction, const Write& change) {
  return std::visit([&](const auto& one) { return write(transaction, one); }, change);
}

Status WriteApplier::write(lmdb::Transaction& transaction, const PutTask& change) {
  const TaskSequence sequence = change.record.sequence;
  return tables_.put(transaction, TableId::tasks, Key::of_task(sequence),
                     encode_task(change.record), place_of(sequence, last_task_));
}

Status WriteApplier::write(lmdb::Transaction& transaction, const PutSpec& change) {
  return tables_.put(transaction, TableId::specs, Key::of_task(change.sequence),
                     change.bytes.view(), place_of(change.sequence, last_spec_));
}

Status WriteApplier::write(lmdb::Transaction& transaction, const EraseSpec& change) {
  return tables_.erase(transaction, TableId::specs, Key::of_task(change.sequence));
}

Status WriteApplier::write(lmdb::Transaction& transaction, const PutResult& change) {
  return tables_.put(transaction, TableId::results, Key::of_task(change.sequence),
                     change.bytes.view());
}

Status WriteApplier::write(lmdb::Transaction& transaction, const PutAttempt& change) {
  return tables_.put(transaction, TableId::attempts,
                     Key::of_attempt(change.sequence, change.number),
                     encode_attempt(change.record));
}

Status WriteApplier::write(lmdb::Transaction& transaction, const EraseTask& change) {
  const Key key = Key::of_task(change.sequence);
  Status erased = tables_.erase(transaction, TableId::tasks, key);
  if (erased.ok() && change.has_spec) erased = tables_.erase(transaction, TableId::specs, key);
  if (erased.ok() && change.has_result) erased = tables_.erase(transaction, TableId::results, key);
  if (!erased.ok()) return erased;
  return write(transaction, EraseAttempts{change.sequence, change.attempt_records});
}

Status WriteApplier::write(lmdb::Transaction& transaction, const EraseAttempts& change) {
  for (std::uint32_t number = 1; number <= change.attempt_records; ++number) {
    const Key key = Key::of_attempt(change.sequence, static_cast<std::uint16_t>(number));
    Status erased = tables_.erase(transaction, TableId::attempts, key);
    if (!erased.ok()) return erased;
  }
  return Done{};
}

Status WriteApplier::write(lmdb::Transaction& transaction, const PutQueue& change) {
  return tables_.put(transaction, TableId::queues, Key::of_queue(change.queue),
                     encode_queue(change));
}

Status WriteApplier::write(lmdb::Transaction& transaction, const PutTotals& change) {
  return tables_.put(transaction, TableId::meta, Key::of_meta(kMetaTotals),
                     encode_totals(change.totals));
}

WriteSize size_of(const Write& change) {
  return std::visit([](const auto& one) { return cost_of(one); }, change);
}

}  // namespace millrace::broker
