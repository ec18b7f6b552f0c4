// The named tables of the data file and whole values in them: chunks and checksums are handled
// here. The log is a table too, but its entries are no such values: log_entry.h.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "broker/store/layout.h"
#include "broker/store/lmdb_env.h"

namespace millrace::broker {

// Handles, valid as long as the environment. Copies are cheap. Thread-safe as far as the
// transactions given to it are.
class Tables {
 public:
  // Opens all tables, making them in a write transaction with `create`. A missing one is an error.
  static Result<Tables> open(lmdb::Transaction& transaction, bool create);

  // Writes a value, replacing one of the same key.
  Status put(lmdb::Transaction& transaction, TableId table, const Key& key,
             std::span<const std::uint8_t> body) const;
  // Erases a value; a missing one is fine.
  Status erase(lmdb::Transaction& transaction, TableId table, const Key& key) const;

  // A copy, aligned for any FlatBuffer. Errors: not_found, corrupt, io.
  Result<std::vector<std::uint8_t>> get(const lmdb::Transaction& transaction, TableId table,
                                        const Key& key) const;

  // Visits the values of a table of single-chunk values by rising key, and checks that there are as
  // many as the table says. Stops at the first error.
  using Visit = std::function<Status(lmdb::BytesView key, lmdb::BytesView body)>;
  Status visit(const lmdb::Transaction& transaction, TableId table, const Visit& visit) const;

  MDB_dbi handle(TableId table) const { return handles_[static_cast<std::size_t>(table)]; }

 private:
  Status put_chunk(lmdb::Transaction& transaction, TableId table, const Key& key,
                   std::uint16_t chunks, std::span<const std::uint8_t> body) const;

  std::array<MDB_dbi, kAllTables.size() + 1> handles_{};  // by TableId; slot 0 unused
};

}  // namespace millrace::broker
