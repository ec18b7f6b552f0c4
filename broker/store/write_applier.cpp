#include "broker/store/write_applier.h"

#include <algorithm>
#include <variant>

#include "broker/store/record_codec.h"

namespace millrace::broker {
namespace {

// Of a record in the log. An entry takes a page and a key, and the end of it may stay empty because
// the next record does not fit.
constexpr std::uint64_t kEntryBytes = 4'056;
constexpr std::uint64_t kEntryStoredBytes = 4'114;
// Key, header, and LMDB's node header and slot.
constexpr std::uint64_t kValueOverheadBytes = 48;

TableId table_of(LogPart part) {
  return part == LogPart::spec ? TableId::specs : TableId::results;
}

WriteSize cost_of_record(std::size_t body_bytes) {
  const std::uint64_t bytes = kDirectoryBytes + body_bytes;
  return {ByteCount(bytes * kEntryStoredBytes / (kEntryBytes - bytes)), 0};
}
// A chunk takes a page at most. Half as much again for small values: of those that are a bit over a
// third of a page, only two fit in it.
WriteSize cost_of_value(std::size_t bytes) {
  const std::uint64_t chunks = chunks_for(bytes);
  const std::uint64_t small = (bytes + kValueOverheadBytes) * 3 / 2;
  return {ByteCount(std::min(small, chunks * kEntryStoredBytes)), chunks + 1};
}
WriteSize cost_of_bytes(const SharedBytes& bytes) {
  if (bytes.size() <= kInlineBytesMost) return cost_of_record(bytes.size());
  WriteSize size = cost_of_value(bytes.size());
  size += cost_of_record(0);
  return size;
}
// Values that may lie in tables.
WriteSize cost_of_erasing(std::uint64_t values) {
  WriteSize size{ByteCount(kValueOverheadBytes * values), values};
  size += cost_of_record(0);
  return size;
}

WriteSize cost_of(const PutTask& change) {
  return cost_of_record(kTaskBodyBytes + change.record.last_worker.size());
}
WriteSize cost_of(const PutSpec& change) {
  return cost_of_bytes(change.bytes);
}
WriteSize cost_of(const EraseSpec&) {
  return cost_of_erasing(1);
}
WriteSize cost_of(const PutResult& change) {
  return cost_of_bytes(change.bytes);
}
WriteSize cost_of(const PutAttempt& change) {
  return cost_of_value(change.record.error.size() + change.record.worker.size() +
                       kValueOverheadBytes);
}
WriteSize cost_of(const EraseTask& change) {
  return cost_of_erasing(std::uint64_t{change.has_spec} + change.has_result +
                         change.attempt_records);
}
WriteSize cost_of(const EraseAttempts& change) {
  return cost_of_erasing(change.attempt_records);
}
WriteSize cost_of(const PutQueue& change) {
  return cost_of_value(change.name.size() + 1);
}
WriteSize cost_of(const PutTotals&) {
  return cost_of_record(kTotalsBodyBytes);
}

}  // namespace

Status WriteApplier::apply(lmdb::Transaction& transaction, const Write& change) {
  return std::visit([&](const auto& one) { return write(transaction, one); }, change);
}

Status WriteApplier::finish(lmdb::Transaction& transaction) {
  put_apart_.clear();
  if (totals_.has_value()) {
    const auto body = encode_totals(*totals_);
    totals_.reset();
    Status added =
        appender_.add(transaction, make_record(RecordKind::totals, TaskSequence(), body));
    if (!added.ok()) return added;
  }
  return appender_.finish(transaction);
}

Status WriteApplier::write(lmdb::Transaction& transaction, const PutTask& change) {
  const TaskBody body(change.record);
  return appender_.add(transaction,
                       make_record(RecordKind::task, change.record.sequence, body.view()));
}

Status WriteApplier::write(lmdb::Transaction& transaction, const PutSpec& change) {
  return put(transaction, LogPart::spec, change.sequence, change.bytes);
}

Status WriteApplier::write(lmdb::Transaction& transaction, const PutResult& change) {
  return put(transaction, LogPart::result, change.sequence, change.bytes);
}

Status WriteApplier::put(lmdb::Transaction& transaction, LogPart part, TaskSequence sequence,
                         const SharedBytes& bytes) {
  const bool is_spec = part == LogPart::spec;
  if (bytes.size() <= kInlineBytesMost) {
    if (Status erased = erase_apart(transaction, part, sequence); !erased.ok()) return erased;
    const RecordKind kind = is_spec ? RecordKind::spec : RecordKind::result;
    return appender_.add(transaction, make_record(kind, sequence, bytes.view()));
  }
  Status stored = tables_.put(transaction, table_of(part), Key::of_task(sequence), bytes.view());
  if (!stored.ok()) return stored;
  put_apart_.emplace(part, sequence);
  const RecordKind kind = is_spec ? RecordKind::spec_apart : RecordKind::result_apart;
  return appender_.add(transaction, make_record(kind, sequence, {}));
}

Status WriteApplier::erase_apart(lmdb::Transaction& transaction, LogPart part,
                                 TaskSequence sequence) {
  const std::optional<LogIndex::Place> place = index_.find(part, sequence);
  const bool apart = (place.has_value() && place->apart) ||
                     (!put_apart_.empty() && put_apart_.count({part, sequence}) > 0);
  if (!apart) return Done{};
  return tables_.erase(transaction, table_of(part), Key::of_task(sequence));
}

Status WriteApplier::write(lmdb::Transaction& transaction, const EraseSpec& change) {
  Status erased = erase_apart(transaction, LogPart::spec, change.sequence);
  if (!erased.ok()) return erased;
  return appender_.add(transaction, make_record(RecordKind::erase_spec, change.sequence, {}));
}

Status WriteApplier::write(lmdb::Transaction& transaction, const PutAttempt& change) {
  return tables_.put(transaction, TableId::attempts,
                     Key::of_attempt(change.sequence, change.number),
                     encode_attempt(change.record));
}

Status WriteApplier::write(lmdb::Transaction& transaction, const EraseTask& change) {
  for (const LogPart part : {LogPart::spec, LogPart::result}) {
    Status erased = erase_apart(transaction, part, change.sequence);
    if (!erased.ok()) return erased;
  }
  Status erased = write(transaction, EraseAttempts{change.sequence, change.attempt_records});
  if (!erased.ok()) return erased;
  return appender_.add(transaction, make_record(RecordKind::erase_task, change.sequence, {}));
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

// Only the newest of a commit is of use.
Status WriteApplier::write(lmdb::Transaction&, const PutTotals& change) {
  totals_ = change.totals;
  return Done{};
}

WriteSize size_of(const Write& change) {
  return std::visit([](const auto& one) { return cost_of(one); }, change);
}

}  // namespace millrace::broker
