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

Status load_totals(const lmdb::Transaction& transaction, const Tables& tables,
                   const LoadVisitor& visitor) {
  const Key key = Key::of_meta(kMetaTotals);
  const auto body = tables.get(transaction, TableId::meta, key);
  if (!body.ok() && body.error().code != ErrorCode::not_found) return body.error();
  std::optional<Totals> totals = body.ok() ? decode_totals(*body) : Totals();
  if (!totals) return corrupt_value(TableId::meta, key.view(), "has the wrong size");
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

Status load_tasks(const lmdb::Transaction& transaction, const Tables& tables,
                  const LoadVisitor& visitor) {
  return tables.visit(
      transaction, TableId::tasks, [&](lmdb::BytesView key, lmdb::BytesView body) -> Status {
        const std::optional<TaskRecord> task = decode_task(sequence_of_key(key), body);
        if (!task) return corrupt_value(TableId::tasks, key, "is not a task record");
        if (visitor.task) visitor.task(*task);
        return Done{};
      });
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
  newest_ = identity->last_batch;

  Result<lmdb::Transaction> snapshot = lmdb::Transaction::begin_read(environment_);
  if (!snapshot.ok()) return snapshot.error();
  Result<WriteApplier> applier = WriteApplier::open(*snapshot, tables_);
  if (!applier.ok()) return applier.error();
  snapshot->reset();
  snapshot_ = *std::move(snapshot);

  SpaceWatch space(environment_, settings);
  const Result<SpaceWatch::Level> level = space.refresh(ByteCount());
  if (!level.ok()) return level.error();
  Result<Wakeup> wakeup = Wakeup::open();
  if (!wakeup.ok()) return wakeup.error();
  try {
    writer_ =
        std::make_unique<StoreWriter>(environment_, tables_, *std::move(applier), std::move(space),
                                      *level, *std::move(wakeup), newest_, std::move(on_failure));
  } catch (const std::system_error& problem) {
    return Error{ErrorCode::io,
                 std::string("cannot start the store's writer thread: ") + problem.what()};
  }
  return Done{};
}

LmdbStore::~LmdbStore() = default;

Status LmdbStore::load(const LoadVisitor& visitor) {
  if (Status renewed = renew_snapshot(); !renewed.ok()) return renewed;
  Status loaded = load_totals(*snapshot_, tables_, visitor);
  if (loaded.ok()) loaded = load_queues(*snapshot_, tables_, visitor);
  if (loaded.ok()) loaded = load_tasks(*snapshot_, tables_, visitor);
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

Result<SharedBytes> LmdbStore::read_spec(TaskSequence sequence) {
  return read(TableId::specs, Key::of_task(sequence));
}

Result<SharedBytes> LmdbStore::read_result(TaskSequence sequence) {
  return read(TableId::results, Key::of_task(sequence));
}

Result<AttemptRecord> LmdbStore::read_attempt(TaskSequence sequence, std::uint16_t number) {
  const Key key = Key::of_attempt(sequence, number);
  const Result<SharedBytes> body = read(TableId::attempts, key);
  if (!body.ok()) return body.error();
  std::optional<AttemptRecord> attempt = decode_attempt(body->view());
  if (!attempt) return corrupt_value(TableId::attempts, key.view(), "is not an attempt record");
  return *std::move(attempt);
}

Result<SharedBytes> LmdbStore::read(TableId table, const Key& key) {
  if (Status renewed = renew_snapshot(); !renewed.ok()) return renewed.error();
  Result<std::vector<std::uint8_t>> bytes = tables_.get(*snapshot_, table, key);
  if (!bytes.ok()) return bytes.error();
  return SharedBytes::adopt(*std::move(bytes));
}

Status LmdbStore::renew_snapshot() {
  // Taken before the snapshot: a batch that lands in between is in it, and costs a renewal at most.
  const BatchNumber durable = writer_->durable();
  if (snapshot_held_ && snapshot_batch_ == durable) return Done{};
  release_snapshot();
  if (Status renewed = snapshot_->renew(); !renewed.ok()) return renewed;
  snapshot_held_ = true;
  snapshot_batch_ = durable;
  return Done{};
}

void LmdbStore::release_snapshot() {
  if (snapshot_held_) snapshot_->reset();
  snapshot_held_ = false;
}

}  // namespace millrace::broker
