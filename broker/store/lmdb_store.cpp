#include "broker/store/lmdb_store.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "broker/store/record_codec.h"
#include "broker/store/store_identity.h"

namespace millrace::broker {
namespace {

// A multiple of every page size in use.
constexpr std::uint64_t kMapUnitBytes = 64 * 1024;

Result<ByteCount> map_bytes_for(const StoreSettings& settings) {
  const Result<DiskSpace> space = disk_space_of(settings.directory);
  if (!space.ok()) return space.error();
  const ByteCount most = std::min(settings.map_bytes_max, space->total);
  return ByteCount(most.value / kMapUnitBytes * kMapUnitBytes);
}

Error missing_part(LogPart part, TaskSequence sequence) {
  return Error{ErrorCode::not_found, "nothing is stored as " + text_of(part, sequence)};
}
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

// Reads records of one snapshot; remembers the entry it was at, since what lies near each other is
// asked for one after the other.
class EntryReader {
 public:
  EntryReader(const lmdb::Transaction& transaction, MDB_dbi log)
      : transaction_(transaction), log_(log) {}

  // Errors: corrupt when the entry is damaged or missing.
  Result<const LogEntryView*> entry(EntryNumber number) {
    if (number_ == number) return &*view_;
    const auto bytes = transaction_.get(log_, Key::of_entry(number).view());
    if (!bytes.ok()) return bytes.error();
    if (!bytes->has_value()) return damaged("log/" + std::to_string(number.value), "is missing");
    const Result<LogEntryView> view = LogEntryView::open(number, **bytes);
    if (!view.ok()) return view.error();
    view_ = *view;
    number_ = number;
    return &*view_;
  }

 private:
  const lmdb::Transaction& transaction_;
  MDB_dbi log_;
  EntryNumber number_;
  std::optional<LogEntryView> view_;
};

Status load_totals(EntryReader& reader, EntryNumber number, const LoadVisitor& visitor) {
  std::optional<Totals> totals = Totals();
  if (!number.is_none()) {
    const Result<const LogEntryView*> entry = reader.entry(number);
    if (!entry.ok()) return entry.error();
    (*entry)->for_each([&](const LogRecord& record) {
      if (record.kind != RecordKind::totals) return;
      totals = is_intact(record) ? decode_totals(record.body) : std::nullopt;
    });
  }
  if (!totals) return damaged("totals", "does not match its checksum");
  if (visitor.totals) visitor.totals(*totals);
  return Done{};
}

Status load_queues(const lmdb::Transaction& transaction, const Tables& tables,
                   const LoadVisitor& visitor) {
  return tables.visit(
      transaction, TableId::queues, [&](lmdb::BytesView key, lmdb::BytesView body) -> Status {
        const std::optional<StoredQueue> queue = decode_queue(queue_of_key(key), body);
        if (!queue) return corrupt_value(TableId::queues, key, "is not a queue");
        if (visitor.queue) visitor.queue(*queue);
        return Done{};
      });
}

Status load_task(EntryReader& reader, EntryNumber number, TaskSequence sequence,
                 const LoadVisitor& visitor) {
  const Result<const LogEntryView*> entry = reader.entry(number);
  if (!entry.ok()) return entry.error();
  const std::optional<LogRecord> record = (*entry)->find(LogPart::task, sequence);
  const Status intact = check_record(record, LogPart::task, sequence);
  if (!intact.ok()) return intact;
  const std::optional<TaskRecord> task = decode_task(sequence, record->body);
  if (!task) return damaged(text_of(LogPart::task, sequence), "is not a task record");
  if (visitor.task) visitor.task(*task);
  return Done{};
}

}  // namespace

Result<std::unique_ptr<LmdbStore>> LmdbStore::open(const StoreSettings& settings,
                                                   FailureHandler on_failure) {
  if (Status valid = validate(settings); !valid.ok()) return valid.error();
  Result<DataDirectory> directory = DataDirectory::open(settings.directory);
  if (!directory.ok()) return directory.error();
  if (Status sound = directory->refuse_empty_data_file(); !sound.ok()) return sound.error();
  const Result<ByteCount> map_bytes = map_bytes_for(settings);
  if (!map_bytes.ok()) return map_bytes.error();
  Result<lmdb::Environment> environment =
      lmdb::Environment::open(settings.directory, *map_bytes, kAllTables.size());
  if (!environment.ok()) return environment.error();
  if (Status format = check_format(*environment); !format.ok()) return format.error();

  std::unique_ptr<LmdbStore> store(new LmdbStore(*std::move(directory), *std::move(environment)));
  if (Status started = store->start(settings, std::move(on_failure)); !started.ok()) {
    return started.error();
  }
  return store;
}

Status LmdbStore::start(const StoreSettings& settings, FailureHandler on_failure) {
  const Result<StoreIdentity> identity = begin_epoch(environment_);
  if (!identity.ok()) return identity.error();
  if (Status synced = directory_.sync_entries(); !synced.ok()) return synced;
  tables_ = identity->tables;
  store_id_ = identity->store_id;
  epoch_ = identity->epoch;

  Result<lmdb::Transaction> snapshot = lmdb::Transaction::begin_read(environment_);
  if (!snapshot.ok()) return snapshot.error();
  Result<ScannedLog> scanned =
      index_log(*snapshot, tables_.handle(TableId::log), environment_.page_bytes());
  if (!scanned.ok()) return scanned.error();
  snapshot->reset();
  snapshot_ = *std::move(snapshot);
  return start_writer(settings, *std::move(scanned), std::move(on_failure));
}

Status LmdbStore::start_writer(const StoreSettings& settings, ScannedLog scanned,
                               FailureHandler on_failure) {
  SpaceWatch space(environment_, settings);
  const Result<SpaceWatch::Level> level = space.refresh(ByteCount());
  if (!level.ok()) return level.error();
  Result<Wakeup> wakeup = Wakeup::open();
  if (!wakeup.ok()) return wakeup.error();
  newest_ = scanned.last_batch;
  index_.emplace(std::move(scanned.index));
  const MDB_dbi log = tables_.handle(TableId::log);
  WriteApplier applier(tables_,
                       LogAppender(log, environment_.page_bytes(), epoch_, scanned.next, newest_),
                       index_->for_writer());
  try {
    writer_ = std::make_unique<StoreWriter>(environment_, log, std::move(applier), *index_,
                                            std::move(space), *level, *std::move(wakeup), newest_,
                                            std::move(on_failure));
  } catch (const std::system_error& problem) {
    return Error{ErrorCode::io,
                 std::string("cannot start the store's writer thread: ") + problem.what()};
  }
  return Done{};
}

LmdbStore::~LmdbStore() = default;

Status LmdbStore::load(const LoadVisitor& visitor) {
  Status loaded = index_->with_lock([&](const LogIndex& index, std::uint64_t commits) -> Status {
    if (Status renewed = renew_snapshot(commits); !renewed.ok()) return renewed;
    return load_all(index, visitor);
  });
  release_snapshot();
  return loaded;
}

Status LmdbStore::load_all(const LogIndex& index, const LoadVisitor& visitor) {
  EntryReader reader(*snapshot_, tables_.handle(TableId::log));
  if (Status loaded = load_totals(reader, index.totals_entry(), visitor); !loaded.ok()) {
    return loaded;
  }
  if (Status loaded = load_queues(*snapshot_, tables_, visitor); !loaded.ok()) return loaded;
  Status loaded = Done{};
  index.for_each(LogPart::task, [&](TaskSequence sequence, LogIndex::Place place) {
    loaded = load_task(reader, place.entry, sequence, visitor);
    return loaded.ok();
  });
  return loaded;
}

BatchNumber LmdbStore::submit(std::vector<Write> writes) {
  release_snapshot();
  if (writes.empty()) return newest_;
  newest_ = newest_.next();
  writer_->submit(newest_, std::move(writes));
  return newest_;
}

void LmdbStore::acknowledge_wakeup() {
  release_snapshot();
  writer_->wakeup().acknowledge();
}

Result<SharedBytes> LmdbStore::read_spec(TaskSequence sequence) {
  return read(LogPart::spec, sequence);
}

Result<SharedBytes> LmdbStore::read_result(TaskSequence sequence) {
  return read(LogPart::result, sequence);
}

Result<AttemptRecord> LmdbStore::read_attempt(TaskSequence sequence, std::uint16_t number) {
  const Status renewed = index_->with_lock(
      [&](const LogIndex&, std::uint64_t commits) { return renew_snapshot(commits); });
  if (!renewed.ok()) return renewed.error();
  const Key key = Key::of_attempt(sequence, number);
  const Result<std::vector<std::uint8_t>> body = tables_.get(*snapshot_, TableId::attempts, key);
  if (!body.ok()) return body.error();
  std::optional<AttemptRecord> attempt = decode_attempt(*body);
  if (!attempt) return corrupt_value(TableId::attempts, key.view(), "is not an attempt record");
  return *std::move(attempt);
}

Result<SharedBytes> LmdbStore::read(LogPart part, TaskSequence sequence) {
  std::optional<LogIndex::Place> place;
  const Status renewed = index_->with_lock([&](const LogIndex& index, std::uint64_t commits) {
    place = index.find(part, sequence);
    return renew_snapshot(commits);
  });
  if (!renewed.ok()) return renewed.error();
  if (!place.has_value()) return missing_part(part, sequence);
  if (place->apart) {
    const TableId table = part == LogPart::spec ? TableId::specs : TableId::results;
    Result<std::vector<std::uint8_t>> bytes =
        tables_.get(*snapshot_, table, Key::of_task(sequence));
    if (!bytes.ok()) return bytes.error();
    return SharedBytes::adopt(*std::move(bytes));
  }
  EntryReader reader(*snapshot_, tables_.handle(TableId::log));
  const Result<const LogEntryView*> entry = reader.entry(place->entry);
  if (!entry.ok()) return entry.error();
  const std::optional<LogRecord> record = (*entry)->find(part, sequence);
  const Status intact = check_record(record, part, sequence);
  if (!intact.ok()) return intact.error();
  return SharedBytes::copy_of(record->body);
}

Status LmdbStore::renew_snapshot(std::uint64_t commits) {
  if (snapshot_commits_ == commits) return Done{};
  release_snapshot();
  if (Status renewed = snapshot_->renew(); !renewed.ok()) return renewed;
  snapshot_commits_ = commits;
  return Done{};
}

void LmdbStore::release_snapshot() {
  if (snapshot_commits_ != 0) snapshot_->reset();
  snapshot_commits_ = 0;
}

}  // namespace millrace::broker
