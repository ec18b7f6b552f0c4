#include "broker/store/store_identity.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "broker/store/record_codec.h"

namespace millrace::broker {
namespace {

constexpr MDB_dbi kTableOfTables = 1;  // LMDB's unnamed table, where names of tables are keys

Status put_number(lmdb::Transaction& transaction, const Tables& tables, std::string_view name,
                  std::uint64_t number) {
  return tables.put(transaction, TableId::meta, Key::of_meta(name), encode_number(number));
}

Status write_first(lmdb::Transaction& transaction, const Tables& tables) {
  std::array<std::uint8_t, 16> store_id{};
  if (::getrandom(store_id.data(), store_id.size(), 0) != static_cast<ssize_t>(store_id.size())) {
    return lmdb::error_of(errno, "draw a store id");
  }
  Status written = put_number(transaction, tables, kMetaFormat, kFormatVersion);
  if (written.ok()) {
    written = tables.put(transaction, TableId::meta, Key::of_meta(kMetaStoreId), store_id);
  }
  if (written.ok()) written = put_number(transaction, tables, kMetaEpoch, 0);
  return written;
}

Result<bool> is_empty(const lmdb::Transaction& transaction) {
  const Result<std::uint64_t> names = transaction.entries(kTableOfTables);
  if (!names.ok()) return names.error();
  return *names == 0;
}

}  // namespace

Error as_missing_part_of_directory(Error error) {
  if (error.code == ErrorCode::not_found) {
    error.code = ErrorCode::corrupt;
    error.message += ", but every data directory has it; restore it from a backup";
  }
  return error;
}

Result<std::uint64_t> read_meta_number(const lmdb::Transaction& transaction, const Tables& tables,
                                       std::string_view name) {
  const Key key = Key::of_meta(name);
  const Result<std::vector<std::uint8_t>> body = tables.get(transaction, TableId::meta, key);
  if (!body.ok()) return body.error();
  const std::optional<std::uint64_t> number = decode_number(*body);
  if (!number) return corrupt_value(TableId::meta, key.view(), "is not a number");
  return *number;
}

Status check_format(const lmdb::Environment& environment) {
  Result<lmdb::Transaction> transaction = lmdb::Transaction::begin_read(environment);
  if (!transaction.ok()) return transaction.error();
  const Result<bool> empty = is_empty(*transaction);
  if (!empty.ok()) return empty.error();
  if (*empty) {
    return Error{ErrorCode::corrupt,
                 "data.mdb is empty, no broker ever wrote to it; restore it from a backup, or "
                 "remove it to start anew"};
  }
  const Result<MDB_dbi> meta = transaction->open_table(name_of(TableId::meta), false);
  if (!meta.ok() && meta.error().code == ErrorCode::not_found) {
    return Error{ErrorCode::misconfigured,
                 "data.mdb was not written by a Millrace broker; choose another data directory"};
  }
  if (!meta.ok()) return meta.error();
  // Read without the other tables: a newer format may have renamed them.
  const Key key = Key::of_meta(kMetaFormat);
  const auto value = transaction->get(*meta, key.view());
  if (!value.ok()) return value.error();
  if (!value->has_value()) return corrupt_value(TableId::meta, key.view(), "is missing");
  const Result<OpenedValue> opened = open_value(TableId::meta, key.view(), **value);
  if (!opened.ok()) return opened.error();
  const std::uint64_t version = decode_number(opened->body).value_or(0);
  if (version == 0) return corrupt_value(TableId::meta, key.view(), "is not a version");
  if (version < kOldestFormatVersion) {
    return Error{ErrorCode::misconfigured,
                 "the data directory has format " + std::to_string(version) +
                     ", of a broker before the first release; nothing was changed: choose another "
                     "data directory"};
  }
  if (version > kFormatVersion) {
    return Error{ErrorCode::misconfigured,
                 "the data directory has format " + std::to_string(version) +
                     ", this broker knows up to " + std::to_string(kFormatVersion) +
                     "; nothing was changed: start the newer broker that wrote it"};
  }
  return Done{};
}

Status make_identity(const lmdb::Environment& environment) {
  Result<lmdb::Transaction> transaction = lmdb::Transaction::begin_write(environment);
  if (!transaction.ok()) return transaction.error();
  Result<Tables> tables = Tables::open(*transaction, true);
  if (!tables.ok()) return tables.error();
  if (Status first = write_first(*transaction, *tables); !first.ok()) return first;
  return transaction->commit();
}

Result<StoreIdentity> begin_epoch(const lmdb::Environment& environment) {
  Result<lmdb::Transaction> transaction = lmdb::Transaction::begin_write(environment);
  if (!transaction.ok()) return transaction.error();
  Result<Tables> tables = Tables::open(*transaction, false);
  if (!tables.ok()) return as_missing_part_of_directory(tables.error());
  StoreIdentity identity;
  identity.tables = *tables;
  const auto store_id = tables->get(*transaction, TableId::meta, Key::of_meta(kMetaStoreId));
  if (!store_id.ok()) return as_missing_part_of_directory(store_id.error());
  const std::size_t id_bytes = std::min(store_id->size(), identity.store_id.size());
  std::copy_n(store_id->begin(), id_bytes, identity.store_id.begin());
  const Result<std::uint64_t> epoch = read_meta_number(*transaction, *tables, kMetaEpoch);
  if (!epoch.ok()) return as_missing_part_of_directory(epoch.error());
  identity.epoch = Epoch(*epoch + 1);
  Status written = put_number(*transaction, *tables, kMetaEpoch, identity.epoch.value);
  if (written.ok()) {
    written = put_number(*transaction, *tables, kMetaFormat, kFormatVersion);
  }
  if (written.ok()) written = transaction->commit();
  if (!written.ok()) return written.error();
  return identity;
}

}  // namespace millrace::broker
