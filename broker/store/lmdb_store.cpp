#include "broker/store/lmdb_store.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "broker/store/page_check.h"
#include "broker/store/snapshot_reader.h"
#include "broker/store/store_identity.h"
#include "broker/store/unfinished_store.h"

namespace millrace::broker {
namespace {

// A multiple of every page size in use.
constexpr std::uint64_t kMapUnitBytes = 64 * 1024;
// Enough for the tables of a new data file; it has its full map when it is in its place.
constexpr ByteCount kFirstMapBytes = ByteCount::mebibytes(1);

Result<ByteCount> map_bytes_for(const StoreSettings& settings) {
  const Result<DiskSpace> space = disk_space_of(settings.directory);
  if (!space.ok()) return space.error();
  const ByteCount most = std::min(settings.map_bytes_max, space->total);
  return ByteCount(most.value / kMapUnitBytes * kMapUnitBytes);
}

// A data file appears with all that every one has, so that one without it is known as damaged.
Status make_data_file(const DataDirectory& directory) {
  const Result<UnfinishedStore> unfinished = UnfinishedStore::begin(directory);
  if (!unfinished.ok()) return unfinished.error();
  {
    Result<lmdb::Environment> environment =
        lmdb::Environment::open(unfinished->path(), kFirstMapBytes, kAllTables.size());
    if (!environment.ok()) return environment.error();
    if (Status made = make_identity(*environment); !made.ok()) return made;
  }
  return unfinished->finish(directory);
}

Result<ScannedLog> scan(const lmdb::Environment& environment) {
  Result<lmdb::Transaction> transaction = lmdb::Transaction::begin_read(environment);
  if (!transaction.ok()) return transaction.error();
  Status sound = check_pages(environment, *transaction, lmdb::ValuePages::of_log);
  if (sound.ok()) sound = check_format(environment);
  if (!sound.ok()) return sound.error();
  const Result<Tables> tables = Tables::open(*transaction, false);
  if (!tables.ok()) return as_missing_part_of_directory(tables.error());
  return index_log(*transaction, tables->handle(TableId::log), environment.page_bytes());
}

}  // namespace

Result<std::unique_ptr<LmdbStore>> LmdbStore::open(const StoreSettings& settings,
                                                   FailureHandler on_failure) {
  if (Status valid = validate(settings); !valid.ok()) return valid.error();
  Result<DataDirectory> directory = DataDirectory::open(settings.directory);
  if (!directory.ok()) return directory.error();
  const Result<bool> is_there = directory->has_data_file();
  if (!is_there.ok()) return is_there.error();
  if (!*is_there) {
    if (Status made = make_data_file(*directory); !made.ok()) return made.error();
  }
  const Result<ByteCount> map_bytes = map_bytes_for(settings);
  if (!map_bytes.ok()) return map_bytes.error();
  Result<lmdb::Environment> environment =
      lmdb::Environment::open(settings.directory, *map_bytes, kAllTables.size());
  if (!environment.ok()) return environment.error();
  // Read whole before anything is written: what is refused stays as it was.
  Result<ScannedLog> scanned = scan(*environment);
  if (!scanned.ok()) return scanned.error();

  std::unique_ptr<LmdbStore> store(new LmdbStore(*std::move(directory), *std::move(environment)));
  Status started = store->start(settings, *std::move(scanned), std::move(on_failure));
  if (!started.ok()) return started.error();
  return store;
}

Status LmdbStore::start(const StoreSettings& settings, ScannedLog scanned,
                        FailureHandler on_failure) {
  const Result<StoreIdentity> identity = begin_epoch(environment_);
  if (!identity.ok()) return identity.error();
  if (Status synced = directory_.sync_entries(); !synced.ok()) return synced;
  tables_ = identity->tables;
  store_id_ = identity->store_id;
  epoch_ = identity->epoch;

  Result<lmdb::Transaction> snapshot = lmdb::Transaction::begin_read(environment_);
  if (!snapshot.ok()) return snapshot.error();
  snapshot->reset();
  snapshot_ = *std::move(snapshot);
  return start_writer(settings, std::move(scanned), std::move(on_failure));
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
    return SnapshotReader(*snapshot_, tables_).load(index, visitor);
  });
  release_snapshot();
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

Result<TaskRecord> LmdbStore::read_task(TaskSequence sequence) {
  std::optional<LogIndex::Place> place;
  const Status renewed = index_->with_lock([&](const LogIndex& index, std::uint64_t commits) {
    place = index.find(LogPart::task, sequence);
    return renew_snapshot(commits);
  });
  if (!renewed.ok()) return renewed.error();
  if (!place.has_value()) {
    return Error{ErrorCode::not_found, "nothing is stored as " + text_of(LogPart::task, sequence)};
  }
  return SnapshotReader(*snapshot_, tables_).read_task(sequence, place->entry);
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
  return SnapshotReader(*snapshot_, tables_).read_attempt(sequence, number);
}

Result<SharedBytes> LmdbStore::read(LogPart part, TaskSequence sequence) {
  std::optional<LogIndex::Place> place;
  const Status renewed = index_->with_lock([&](const LogIndex& index, std::uint64_t commits) {
    place = index.find(part, sequence);
    return renew_snapshot(commits);
  });
  if (!renewed.ok()) return renewed.error();
  return SnapshotReader(*snapshot_, tables_).read(part, sequence, place);
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
