#include "broker/store/lmdb_env.h"

#include <cerrno>
#include <cstring>

#include "broker/store/page_check.h"

namespace millrace::broker::lmdb {
namespace {

// LMDB takes keys and values as mutable pointers but does not write through those given to it.
MDB_val value_of(BytesView bytes) {
  return MDB_val{bytes.size(), const_cast<std::uint8_t*>(bytes.data())};
}
BytesView view_of(const MDB_val& value) {
  return {static_cast<const std::uint8_t*>(value.mv_data), value.mv_size};
}

ErrorCode code_of(int code) {
  switch (code) {
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_PANIC:
      return ErrorCode::corrupt;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::store_full;
    case MDB_VERSION_MISMATCH:
      return ErrorCode::misconfigured;
    default:
      return ErrorCode::io;
  }
}

}  // namespace

Error error_of(int code, std::string_view doing) {
  return Error{code_of(code), "LMDB: " + std::string(doing) + ": " + mdb_strerror(code)};
}

Result<Environment> Environment::open(const std::string& directory, ByteCount map_bytes,
                                      unsigned int tables_max, Access access) {
  if (Status sound = check_meta_pages(directory); !sound.ok()) return sound.error();
  MDB_env* raw = nullptr;
  if (const int code = mdb_env_create(&raw); code != 0) return error_of(code, "create");
  Environment environment(raw);
  if (const int code = mdb_env_set_mapsize(raw, map_bytes.value); code != 0) {
    return error_of(code, "set the map size");
  }
  if (const int code = mdb_env_set_maxdbs(raw, tables_max); code != 0) {
    return error_of(code, "set the number of tables");
  }
  // NOTLS: a read transaction belongs to its object, not to its thread. NORDAHEAD: reads are
  // random. Never NOSYNC, NOMETASYNC, MAPASYNC or WRITEMAP: each breaks the promise of durability.
  const unsigned int flags =
      MDB_NOTLS | MDB_NORDAHEAD | (access == Access::read_only ? MDB_RDONLY : 0U);
  if (const int code = mdb_env_open(raw, directory.c_str(), flags, 0600); code != 0) {
    return error_of(code, "open " + directory);
  }
  MDB_stat stat{};
  if (const int code = mdb_env_stat(raw, &stat); code != 0) return error_of(code, "stat");
  environment.page_bytes_ = stat.ms_psize;
  if (const int code = mdb_env_get_fd(raw, &environment.data_descriptor_); code != 0) {
    return error_of(code, "data descriptor");
  }
  if (Status released = environment.release_dead_readers(); !released.ok()) {
    return released.error();
  }
  return environment;
}

Status Environment::release_dead_readers() const {
  if (const int code = mdb_reader_check(env_.get(), nullptr); code != 0) {
    return error_of(code, "check readers");
  }
  return Done{};
}

Status Environment::copy_to(int descriptor) const {
  const int code = mdb_env_copyfd2(env_.get(), descriptor, MDB_CP_COMPACT);
  if (code != 0) return error_of(code, "copy");
  return Done{};
}

ByteCount Environment::map_bytes() const {
  MDB_envinfo info{};
  mdb_env_info(env_.get(), &info);
  return ByteCount(info.me_mapsize);
}

ByteCount Environment::high_water() const {
  MDB_envinfo info{};
  mdb_env_info(env_.get(), &info);
  return ByteCount((info.me_last_pgno + 1) * page_bytes_);
}

Result<Transaction> Transaction::begin(const Environment& environment, unsigned int flags) {
  MDB_txn* raw = nullptr;
  const int code = mdb_txn_begin(environment.handle(), nullptr, flags, &raw);
  if (code != 0) return error_of(code, "begin a transaction");
  return Transaction(raw);
}
Result<Transaction> Transaction::begin_read(const Environment& environment) {
  return begin(environment, MDB_RDONLY);
}
Result<Transaction> Transaction::begin_write(const Environment& environment) {
  return begin(environment, 0);
}

Status Transaction::commit() {
  // LMDB frees the transaction whatever it returns.
  const int code = mdb_txn_commit(txn_.release());
  if (code != 0) return error_of(code, "commit");
  return Done{};
}

void Transaction::reset() {
  mdb_txn_reset(txn_.get());
}

Status Transaction::renew() {
  if (const int code = mdb_txn_renew(txn_.get()); code != 0) return error_of(code, "renew a read");
  return Done{};
}

Result<MDB_dbi> Transaction::open_table(const char* name, bool create) {
  MDB_dbi table = 0;
  const int code = mdb_dbi_open(txn_.get(), name, create ? MDB_CREATE : 0U, &table);
  if (code == MDB_NOTFOUND) {
    return Error{ErrorCode::not_found, "LMDB: no table " + std::string(name)};
  }
  if (code != 0) return error_of(code, std::string("open table ") + name);
  return table;
}

Result<std::optional<BytesView>> Transaction::get(MDB_dbi table, BytesView key) const {
  MDB_val wanted = value_of(key);
  MDB_val found{};
  const int code = mdb_get(txn_.get(), table, &wanted, &found);
  if (code == MDB_NOTFOUND) return std::optional<BytesView>();
  if (code != 0) return error_of(code, "read");
  return std::optional<BytesView>(view_of(found));
}

Result<std::span<std::uint8_t>> Transaction::reserve(MDB_dbi table, BytesView key, std::size_t size,
                                                     unsigned int flags) {
  MDB_val wanted = value_of(key);
  MDB_val room{size, nullptr};
  const int code = mdb_put(txn_.get(), table, &wanted, &room, flags | MDB_RESERVE);
  if (code != 0) return error_of(code, "write");
  return std::span(static_cast<std::uint8_t*>(room.mv_data), size);
}

Result<bool> Transaction::erase(MDB_dbi table, BytesView key) {
  MDB_val wanted = value_of(key);
  const int code = mdb_del(txn_.get(), table, &wanted, nullptr);
  if (code == MDB_NOTFOUND) return false;
  if (code != 0) return error_of(code, "erase");
  return true;
}

Result<std::uint64_t> Transaction::entries(MDB_dbi table) const {
  MDB_stat stat{};
  const int code = mdb_stat(txn_.get(), table, &stat);
  if (code != 0) return error_of(code, "count entries");
  return static_cast<std::uint64_t>(stat.ms_entries);
}

Result<Cursor> Cursor::open(const Transaction& transaction, MDB_dbi table) {
  MDB_cursor* raw = nullptr;
  const int code = mdb_cursor_open(transaction.handle(), table, &raw);
  if (code != 0) return error_of(code, "open a cursor");
  return Cursor(raw);
}

Result<std::optional<Cursor::Entry>> Cursor::move(MDB_cursor_op operation) {
  MDB_val key{};
  MDB_val value{};
  const int code = mdb_cursor_get(cursor_.get(), &key, &value, operation);
  if (code == MDB_NOTFOUND) return std::optional<Entry>();
  if (code != 0) return error_of(code, "walk a table");
  return std::optional<Entry>(Entry{view_of(key), view_of(value)});
}

Result<std::optional<Cursor::Entry>> Cursor::find(BytesView key) {
  MDB_val wanted = value_of(key);
  MDB_val value{};
  const int code = mdb_cursor_get(cursor_.get(), &wanted, &value, MDB_SET_KEY);
  if (code == MDB_NOTFOUND) return std::optional<Entry>();
  if (code != 0) return error_of(code, "find");
  return std::optional<Entry>(Entry{view_of(wanted), view_of(value)});
}

Status Cursor::erase_here() {
  if (const int code = mdb_cursor_del(cursor_.get(), 0); code != 0) return error_of(code, "erase");
  return Done{};
}

Result<std::uint64_t> count_free_pages(const Environment& environment) {
  constexpr MDB_dbi kFreeList = 0;  // as in mdb_stat(1): values are counted lists of page numbers
  Result<Transaction> transaction = Transaction::begin_read(environment);
  if (!transaction.ok()) return transaction.error();
  Result<Cursor> cursor = Cursor::open(*transaction, kFreeList);
  if (!cursor.ok()) return cursor.error();
  std::uint64_t pages = 0;
  Result<std::optional<Cursor::Entry>> entry = cursor->first();
  while (entry.ok() && entry->has_value()) {
    std::size_t count = 0;
    std::memcpy(&count, (*entry)->value.data(), std::min(sizeof(count), (*entry)->value.size()));
    pages += count;
    entry = cursor->next();
  }
  if (!entry.ok()) return entry.error();
  return pages;
}

}  // namespace millrace::broker::lmdb
