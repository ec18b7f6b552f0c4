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

// Key, LMDB's node header and slot, and room for the pages that are not full.
constexpr std::uint64_t kOverheadBytes = 48;

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

ByteCount stored_bytes_of(const Write& change) {
  if (const auto* spec = std::get_if<PutSpec>(&change)) {
    return ByteCount(spec->bytes.size() + kOverheadBytes * chunks_for(spec->bytes.size()));
  }
  if (const auto* result = std::get_if<PutResult>(&change)) {
    return ByteCount(result->bytes.size() + kOverheadBytes * chunks_for(result->bytes.size()));
  }
  if (const auto* attempt = std::get_if<PutAttempt>(&change)) {
    return ByteCount(attempt->record.error.size() + attempt->record.worker.size() +
                     2 * kOverheadBytes);
  }
  if (std::holds_alternative<PutTask>(change)) return ByteCount(kTaskBodyBytes + kOverheadBytes);
  return ByteCount(kOverheadBytes);
}

}  // namespace millrace::broker
