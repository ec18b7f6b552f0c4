#include "broker/store/store_check.h"

#include <set>
#include <unordered_map>
#include <vector>

#include "broker/store/record_codec.h"
#include "broker/store/store_identity.h"

namespace millrace::broker {
namespace {

class StoreCheck {
 public:
  StoreCheck(const StoreReader& store, const ReportProblem& report)
      : store_(store), reader_(store.snapshot(), store.tables()), report_(report) {}

  Result<StoreCheckSummary> run() {
    check_meta();
    if (Status walked = walk_log(); !walked.ok()) return walked.error();
    report_damaged_records();
    check_queues();
    check_tasks();
    check_totals();
    for (const TableId table : {TableId::specs, TableId::results, TableId::attempts}) {
      if (Status walked = walk_table(table); !walked.ok()) return walked.error();
    }
    return summary_;
  }

 private:
  struct DamagedRecord {
    EntryNumber entry;
    RecordKind kind;
    TaskSequence sequence;
  };

  void problem(const std::string& line) {
    ++summary_.problems;
    report_(line);
  }
  void problem(const Error& error) { problem(error.message); }
  // "task 0190…, sequence 17"
  static std::string name_of_task(const TaskRecord& task) {
    return "task " + to_text(task.id) + ", sequence " + std::to_string(task.sequence.value);
  }

  void check_meta();
  Status walk_log();
  void take_entry(EntryNumber number, lmdb::BytesView bytes);
  void report_damaged_records();
  void check_queues();
  void check_tasks();
  void check_task(const TaskRecord& task);
  // `bytes`: what the record knows of its size; none: only that there is one.
  void check_part(const TaskRecord& task, LogPart part, bool expected,
                  std::optional<ByteCount> bytes);
  void check_attempts(const TaskRecord& task);
  void check_parts_have_tasks(LogPart part);
  void check_totals();
  Status walk_table(TableId table);
  void check_value_has_owner(TableId table, TaskSequence sequence, const std::string& name);

  const StoreReader& store_;
  SnapshotReader reader_;
  const ReportProblem& report_;
  StoreCheckSummary summary_;

  LogIndex index_;
  std::uint64_t epoch_ = 0;
  Epoch newest_epoch_;
  BatchNumber newest_batch_;
  std::vector<DamagedRecord> damaged_;
  bool log_is_whole_ = true;
  std::set<QueueNumber> queues_;
  std::unordered_map<std::uint64_t, std::uint16_t>
      attempts_of_;  // by sequence, where there are any
  TaskSequence last_sequence_;
};

void StoreCheck::check_meta() {
  const Result<std::uint64_t> epoch =
      read_meta_number(store_.snapshot(), store_.tables(), kMetaEpoch);
  if (!epoch.ok()) {
    problem(as_missing_part_of_directory(epoch.error()));
  } else {
    epoch_ = *epoch;
  }
  const auto store_id =
      store_.tables().get(store_.snapshot(), TableId::meta, Key::of_meta(kMetaStoreId));
  if (!store_id.ok()) problem(as_missing_part_of_directory(store_id.error()));
}

// ---- the log ------------------------------------------------------------------------------------

Status StoreCheck::walk_log() {
  Result<lmdb::Cursor> cursor =
      lmdb::Cursor::open(store_.snapshot(), store_.tables().handle(TableId::log));
  if (!cursor.ok()) return cursor.error();
  EntryNumber expected;
  auto entry = cursor->first();
  for (; entry.ok() && entry->has_value(); entry = cursor->next()) {
    const EntryNumber number = entry_of_key((*entry)->key);
    ++summary_.log_entries;
    if (number.is_none()) {
      problem("the log has a key that is no entry's number");
      continue;
    }
    for (; !expected.is_none() && expected < number; expected = expected.next()) {
      problem("log entry " + std::to_string(expected.value) + " is missing");
      take_entry(expected, {});
    }
    take_entry(number, (*entry)->value);
    expected = number.next();
  }
  if (!entry.ok()) return entry.error();
  return Done{};
}

// An entry that cannot be read takes its place in the index, with nothing in it.
void StoreCheck::take_entry(EntryNumber number, lmdb::BytesView bytes) {
  const std::vector<LogUpdate::Change> nothing = {{TaskSequence(), RecordKind::batch}};
  if (bytes.empty()) {
    log_is_whole_ = false;
    index_.add({number, 1, 1}, nothing.begin());
    return;
  }
  const Result<LogEntryView> entry = LogEntryView::open(number, bytes);
  if (!entry.ok()) {
    problem(entry.error());
    return take_entry(number, {});
  }
  std::vector<LogUpdate::Change> changes;
  entry->for_each([&](const LogRecord& record) {
    changes.push_back({record.sequence, record.kind});
    if (!is_intact(record)) damaged_.push_back({number, record.kind, record.sequence});
  });
  index_.add({number, static_cast<std::uint32_t>(bytes.size()), entry->records()}, changes.begin());
  const std::string name = "log entry " + std::to_string(number.value);
  if (entry->batch() < newest_batch_) problem(name + " has an older batch than the one before it");
  if (entry->epoch() < newest_epoch_) problem(name + " has an older epoch than the one before it");
  if (epoch_ != 0 && entry->epoch().value > epoch_) {
    problem(name + " is of an epoch that has not begun");
  }
  newest_batch_ = std::max(newest_batch_, entry->batch());
  newest_epoch_ = std::max(newest_epoch_, entry->epoch());
}

// Those that count are met again as tasks, specs, results and totals; the others are named here.
void StoreCheck::report_damaged_records() {
  for (const DamagedRecord& record : damaged_) {
    if (index_.is_live(record.entry, LogRecord{record.sequence, record.kind, 0, {}})) continue;
    problem("log entry " + std::to_string(record.entry.value) +
            " has a damaged record of sequence " + std::to_string(record.sequence.value) +
            " that does not count any more: nothing is lost, but check the disk");
  }
}

// ---- what it says -------------------------------------------------------------------------------

void StoreCheck::check_queues() {
  const Status visited =
      reader_.visit_queues([this](const StoredQueue& queue) { queues_.insert(queue.queue); });
  if (!visited.ok()) problem(visited.error());
}

void StoreCheck::check_tasks() {
  index_.for_each(LogPart::task, [this](TaskSequence sequence, LogIndex::Place place) {
    ++summary_.tasks;
    last_sequence_ = sequence;
    const Result<TaskRecord> task = reader_.read_task(sequence, place.entry);
    if (task.ok()) {
      check_task(*task);
    } else {
      problem(task.error());
    }
    return true;
  });
  for (const LogPart part : {LogPart::spec, LogPart::result}) check_parts_have_tasks(part);
}

void StoreCheck::check_task(const TaskRecord& task) {
  if (queues_.count(task.queue) == 0) {
    problem(name_of_task(task) + ": its queue " + std::to_string(task.queue.value) + " is unknown");
  }
  check_part(task, LogPart::spec, task.spec_stored, std::nullopt);
  check_part(task, LogPart::result, task.result_bytes > ByteCount(), task.result_bytes);
  check_attempts(task);
}

void StoreCheck::check_part(const TaskRecord& task, LogPart part, bool expected,
                            std::optional<ByteCount> bytes) {
  const auto place = index_.find(part, task.sequence);
  const std::string name = name_of_task(task) + ": " + text_of(part, task.sequence);
  if (!place.has_value()) {
    if (expected) problem(name + " is missing");
    return;
  }
  if (!expected) return problem(name + " is there, but its record knows of none");
  const Result<SharedBytes> stored = reader_.read(part, task.sequence, place);
  if (!stored.ok()) return problem(name_of_task(task) + ": " + stored.error().message);
  if (bytes.has_value() && stored->size() != bytes->value) {
    problem(name + " has " + std::to_string(stored->size()) + " of " +
            std::to_string(bytes->value) + " bytes");
  }
}

void StoreCheck::check_attempts(const TaskRecord& task) {
  if (task.attempt_records > 0) attempts_of_[task.sequence.value] = task.attempt_records;
  for (std::uint32_t number = 1; number <= task.attempt_records; ++number) {
    const auto attempt = reader_.read_attempt(task.sequence, static_cast<std::uint16_t>(number));
    if (!attempt.ok()) problem(name_of_task(task) + ": " + attempt.error().message);
  }
}

void StoreCheck::check_parts_have_tasks(LogPart part) {
  index_.for_each(part, [&](TaskSequence sequence, LogIndex::Place) {
    if (!index_.find(LogPart::task, sequence).has_value()) {
      problem(text_of(part, sequence) + " belongs to no task");
    }
    return true;
  });
}

// Promise P5: what was accepted is somewhere.
void StoreCheck::check_totals() {
  const Result<Totals> totals = reader_.read_totals(index_.totals_entry());
  if (!totals.ok()) return problem(totals.error());
  if (totals->accepted != summary_.tasks + totals->pruned) {
    problem("the books do not balance: " + std::to_string(totals->accepted) +
            " tasks were accepted, " + std::to_string(summary_.tasks) + " are there and " +
            std::to_string(totals->pruned) + " were forgotten");
  }
  if (last_sequence_.value > totals->last_sequence) {
    problem("the books know of sequences up to " + std::to_string(totals->last_sequence) +
            ", but there is " + std::to_string(last_sequence_.value));
  }
}

// ---- the tables beside the log ------------------------------------------------------------------

Status StoreCheck::walk_table(TableId table) {
  Result<lmdb::Cursor> cursor =
      lmdb::Cursor::open(store_.snapshot(), store_.tables().handle(table));
  if (!cursor.ok()) return cursor.error();
  auto entry = cursor->first();
  for (; entry.ok() && entry->has_value(); entry = cursor->next()) {
    ++summary_.values;
    const std::string name = text_of(table, (*entry)->key);
    const Result<OpenedValue> value = open_value(table, (*entry)->key, (*entry)->value);
    if (!value.ok()) problem(value.error());
    check_value_has_owner(table, sequence_of_key((*entry)->key), name);
  }
  if (!entry.ok()) return entry.error();
  return Done{};
}

void StoreCheck::check_value_has_owner(TableId table, TaskSequence sequence,
                                       const std::string& name) {
  if (!log_is_whole_) return;  // its owner may be in what cannot be read
  bool owned = false;
  if (table == TableId::attempts) {
    owned = attempts_of_.count(sequence.value) > 0;
  } else {
    const LogPart part = table == TableId::specs ? LogPart::spec : LogPart::result;
    const auto place = index_.find(part, sequence);
    owned = place.has_value() && place->apart;
  }
  if (!owned) problem("stored value " + name + " belongs to no task");
}

}  // namespace

Result<StoreCheckSummary> check_store(const StoreReader& store, const ReportProblem& report) {
  return StoreCheck(store, report).run();
}

}  // namespace millrace::broker
