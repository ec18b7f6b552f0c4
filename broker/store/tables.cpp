#include "broker/store/tables.h"

#include <algorithm>
#include <cstring>

namespace millrace::broker {
namespace {

std::span<const std::uint8_t> chunk_of(std::span<const std::uint8_t> body, std::size_t chunk) {
  const std::size_t from = chunk * kChunkBodyBytes;
  return body.subspan(from, std::min(kChunkBodyBytes, body.size() - from));
}

Error missing_value(TableId table, const Key& key) {
  return Error{ErrorCode::not_found, "nothing is stored as " + text_of(table, key.view())};
}

}  // namespace

Result<Tables> Tables::open(lmdb::Transaction& transaction, bool create) {
  Tables tables;
  for (const TableId table : kAllTables) {
    Result<MDB_dbi> handle = transaction.open_table(name_of(table), create);
    if (!handle.ok()) return handle.error();
    tables.handles_[static_cast<std::size_t>(table)] = *handle;
  }
  return tables;
}

Status Tables::put_chunk(lmdb::Transaction& transaction, TableId table, const Key& key,
                         std::uint16_t chunks, std::span<const std::uint8_t> body) const {
  auto room = transaction.reserve(handle(table), key.view(), kValueHeaderBytes + body.size(), 0);
  if (!room.ok()) return room.error();
  const std::span<std::uint8_t> value = *room;
  if (!body.empty()) std::memcpy(&value[kValueHeaderBytes], body.data(), body.size());
  seal_value(table, key, chunks, value);
  return Done{};
}

Status Tables::put(lmdb::Transaction& transaction, TableId table, const Key& key,
                   std::span<const std::uint8_t> body) const {
  const std::uint16_t chunks = chunks_for(body.size());
  // A value that may replace another one must not leave that one's further chunks behind. Values of
  // meta have none.
  if (table != TableId::meta) {
    if (Status erased = erase(transaction, table, key); !erased.ok()) return erased;
  }
  for (std::uint16_t chunk = 0; chunk < chunks; ++chunk) {
    Status written =
        put_chunk(transaction, table, key.at_chunk(chunk), chunks, chunk_of(body, chunk));
    if (!written.ok()) return written;
  }
  return Done{};
}

Status Tables::erase(lmdb::Transaction& transaction, TableId table, const Key& key) const {
  Result<lmdb::Cursor> cursor = lmdb::Cursor::open(transaction, handle(table));
  if (!cursor.ok()) return cursor.error();
  auto first = cursor->find(key.view());
  if (!first.ok()) return first.error();
  if (!first->has_value()) return Done{};
  // Trusted only as far as its checksum goes: a damaged count must not erase what is not its own.
  const Result<OpenedValue> opened = open_value(table, key.view(), (*first)->value);
  const std::uint16_t chunks = opened.ok() ? opened->chunks : std::uint16_t{1};
  if (Status erased = cursor->erase_here(); !erased.ok()) return erased;
  for (std::uint16_t chunk = 1; chunk < chunks; ++chunk) {
    Result<bool> erased = transaction.erase(handle(table), key.at_chunk(chunk).view());
    if (!erased.ok()) return erased.error();
  }
  return Done{};
}

Result<std::vector<std::uint8_t>> Tables::get(const lmdb::Transaction& transaction, TableId table,
                                              const Key& key) const {
  std::vector<std::uint8_t> bytes;
  std::uint16_t chunks = 1;
  for (std::uint16_t chunk = 0; chunk < chunks; ++chunk) {
    const Key chunk_key = key.at_chunk(chunk);
    auto value = transaction.get(handle(table), chunk_key.view());
    if (!value.ok()) return value.error();
    if (!value->has_value()) {
      if (chunk == 0) return missing_value(table, key);
      return corrupt_value(table, chunk_key.view(), "is missing");
    }
    const Result<OpenedValue> opened = open_value(table, chunk_key.view(), **value);
    if (!opened.ok()) return opened.error();
    if (chunk == 0) {
      chunks = opened->chunks;
      bytes.reserve(chunks == 1 ? opened->body.size() : chunks * kChunkBodyBytes);
    } else if (opened->chunks != chunks) {
      return corrupt_value(table, chunk_key.view(), "belongs to another value");
    }
    bytes.insert(bytes.end(), opened->body.begin(), opened->body.end());
  }
  return bytes;
}

Status Tables::visit(const lmdb::Transaction& transaction, TableId table,
                     const Visit& visit) const {
  const Result<std::uint64_t> expected = transaction.entries(handle(table));
  if (!expected.ok()) return expected.error();
  Result<lmdb::Cursor> cursor = lmdb::Cursor::open(transaction, handle(table));
  if (!cursor.ok()) return cursor.error();
  std::uint64_t visited = 0;
  auto entry = cursor->first();
  for (; entry.ok() && entry->has_value(); entry = cursor->next()) {
    const Result<OpenedValue> opened = open_value(table, (*entry)->key, (*entry)->value);
    if (!opened.ok()) return opened.error();
    if (Status seen = visit((*entry)->key, opened->body); !seen.ok()) return seen;
    ++visited;
  }
  if (!entry.ok()) return entry.error();
  if (visited != *expected) {
    return Error{ErrorCode::corrupt, std::string("table ") + name_of(table) + " holds " +
                                         std::to_string(visited) + " of " +
                                         std::to_string(*expected) +
                                         " values; restore the data directory from a backup"};
  }
  return Done{};
}

}  // namespace millrace::broker
