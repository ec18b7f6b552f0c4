#include "broker/store/snapshot_reader.h"

#include "broker/store/record_codec.h"

namespace millrace::broker {
namespace {

Error damaged(const std::string& name, const char* problem) {
  return Error{ErrorCode::corrupt, "stored value " + name + " " + problem +
                                       "; restore the data directory from a backup, and check the "
                                       "disk"};
}

// What the index promises: the record is where it says, and it is whole.
Status check_record(const std::optional<LogRecord>& record, LogPart part, TaskSequence sequence) {
  if (!record) return damaged(text_of(part, sequence), "is missing");
  if (!is_intact(*record)) return damaged(text_of(part, sequence), "does not match its checksum");
  return Done{};
}

}  // namespace

Result<const LogEntryView*> SnapshotReader::entry(EntryNumber number) {
  if (number_ == number) return &*view_;
  const auto bytes = transaction_.get(tables_.handle(TableId::log), Key::of_entry(number).view());
  if (!bytes.ok()) return bytes.error();
  if (!bytes->has_value()) return damaged("log/" + std::to_string(number.value), "is missing");
  const Result<LogEntryView> view = LogEntryView::open(number, **bytes);
  if (!view.ok()) return view.error();
  view_ = *view;
  number_ = number;
  return &*view_;
}

Status SnapshotReader::load(const LogIndex& index, const LoadVisitor& visitor) {
  const Result<Totals> totals = read_totals(index.totals_entry());
  if (!totals.ok()) return totals.error();
  if (visitor.totals) visitor.totals(*totals);
  const Status queues = visit_queues([&](const StoredQueue& queue) {
    if (visitor.queue) visitor.queue(queue);
  });
  if (!queues.ok()) return queues;
  Status loaded = Done{};
  index.for_each(LogPart::task, [&](TaskSequence sequence, LogIndex::Place place) {
    const Result<TaskRecord> task = read_task(sequence, place.entry);
    if (!task.ok()) loaded = task.error();
    if (task.ok() && visitor.task) visitor.task(*task);
    return task.ok();
  });
  return loaded;
}

Result<TaskRecord> SnapshotReader::read_task(TaskSequence sequence, EntryNumber number) {
  const Result<const LogEntryView*> entry = this->entry(number);
  if (!entry.ok()) return entry.error();
  const std::optional<LogRecord> record = (*entry)->find(LogPart::task, sequence);
  const Status intact = check_record(record, LogPart::task, sequence);
  if (!intact.ok()) return intact.error();
  std::optional<TaskRecord> task = decode_task(sequence, record->body);
  if (!task) return damaged(text_of(LogPart::task, sequence), "is not a task record");
  return *std::move(task);
}

Result<SharedBytes> SnapshotReader::read(LogPart part, TaskSequence sequence,
                                         const std::optional<LogIndex::Place>& place) {
  if (!place.has_value()) {
    return Error{ErrorCode::not_found, "nothing is stored as " + text_of(part, sequence)};
  }
  if (place->apart) {
    const TableId table = part == LogPart::spec ? TableId::specs : TableId::results;
    Result<std::vector<std::uint8_t>> bytes =
        tables_.get(transaction_, table, Key::of_task(sequence));
    if (!bytes.ok()) return bytes.error();
    return SharedBytes::adopt(*std::move(bytes));
  }
  const Result<const LogEntryView*> entry = this->entry(place->entry);
  if (!entry.ok()) return entry.error();
  const std::optional<LogRecord> record = (*entry)->find(part, sequence);
  const Status intact = check_record(record, part, sequence);
  if (!intact.ok()) return intact.error();
  return SharedBytes::copy_of(record->body);
}

Result<AttemptRecord> SnapshotReader::read_attempt(TaskSequence sequence, std::uint16_t number) {
  const Key key = Key::of_attempt(sequence, number);
  const Result<std::vector<std::uint8_t>> body = tables_.get(transaction_, TableId::attempts, key);
  if (!body.ok()) return body.error();
  std::optional<AttemptRecord> attempt = decode_attempt(*body);
  if (!attempt) return corrupt_value(TableId::attempts, key.view(), "is not an attempt record");
  return *std::move(attempt);
}

Result<Totals> SnapshotReader::read_totals(EntryNumber number) {
  if (number.is_none()) return Totals();
  const Result<const LogEntryView*> entry = this->entry(number);
  if (!entry.ok()) return entry.error();
  std::optional<Totals> totals;
  (*entry)->for_each([&](const LogRecord& record) {
    if (record.kind != RecordKind::totals) return;
    totals = is_intact(record) ? decode_totals(record.body) : std::nullopt;
  });
  if (!totals) return damaged("totals", "does not match its checksum");
  return *totals;
}

Status SnapshotReader::visit_queues(const std::function<void(const StoredQueue&)>& visit) {
  return tables_.visit(
      transaction_, TableId::queues, [&](lmdb::BytesView key, lmdb::BytesView body) -> Status {
        const std::optional<StoredQueue> queue = decode_queue(queue_of_key(key), body);
        if (!queue) return corrupt_value(TableId::queues, key, "is not a queue");
        visit(*queue);
        return Done{};
      });
}

}  // namespace millrace::broker
