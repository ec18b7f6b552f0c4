// LMDB with owners and Results: environment, transaction, cursor. Every return code of an mdb_ call
// becomes a Result with a one-line message. Knows nothing of what is stored.
// Source: the LMDB API reference, http://www.lmdb.tech/doc/
#pragma once

#include <lmdb.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace millrace::broker::lmdb {

using BytesView = std::span<const std::uint8_t>;

// The Error for a return code other than MDB_SUCCESS; `doing` says what was tried, e.g. "commit".
// Codes: corrupt for a damaged file, store_full for a full map or disk, misconfigured for a file
// of another LMDB version, io for the rest.
Error error_of(int code, std::string_view doing);

enum class Access {
  read_write,  // creates the file when it is missing
  read_only,   // beside a process that writes, too
};

// An open data file. Movable; the transactions, cursors and tables made from it must be gone first.
class Environment {
 public:
  // Opens or creates `directory`/data.mdb (mode 0600) in the default, fully synced mode. A file
  // that fails check_meta_pages is refused.
  static Result<Environment> open(const std::string& directory, ByteCount map_bytes,
                                  unsigned int tables_max, Access access = Access::read_write);

  MDB_env* handle() const { return env_.get(); }
  std::size_t page_bytes() const { return page_bytes_; }
  ByteCount map_bytes() const;
  // Everything below this is in use or on the free list. Any thread.
  ByteCount high_water() const;
  int data_descriptor() const { return data_descriptor_; }

  // Writes the newest snapshot to an open, empty file, without its free pages. Pages that are freed
  // meanwhile by a process that writes can be used again only when this is done. Not synced.
  Status copy_to(int descriptor) const;
  // Gives back what readers that were killed held: the pages of their snapshots.
  Status release_dead_readers() const;

 private:
  struct Close {
    void operator()(MDB_env* env) const { mdb_env_close(env); }
  };
  explicit Environment(MDB_env* env) : env_(env) {}

  std::unique_ptr<MDB_env, Close> env_;
  std::size_t page_bytes_ = 0;
  int data_descriptor_ = -1;
};

// Aborted on destruction unless committed. Bytes got in it stay valid until it ends or, in a write
// transaction, until the next write.
class Transaction {
 public:
  static Result<Transaction> begin_read(const Environment& environment);
  static Result<Transaction> begin_write(const Environment& environment);

  // Write transactions: durable when it returns Done. After an error what was written is unknown.
  Status commit();
  // Read transactions: lets the snapshot go (pages it pinned may be reused), and takes a new one.
  void reset();
  Status renew();

  Result<MDB_dbi> open_table(const char* name, bool create);
  // nullopt: no such key.
  Result<std::optional<BytesView>> get(MDB_dbi table, BytesView key) const;
  // Makes room for `size` bytes under `key`, which the caller fills at once. `flags`: 0, or
  // MDB_APPEND (the key is above all others).
  Result<std::span<std::uint8_t>> reserve(MDB_dbi table, BytesView key, std::size_t size,
                                          unsigned int flags);
  // A missing key is fine; the value says whether there was one.
  Result<bool> erase(MDB_dbi table, BytesView key);
  Result<std::uint64_t> entries(MDB_dbi table) const;

  MDB_txn* handle() const { return txn_.get(); }

 private:
  struct Abort {
    void operator()(MDB_txn* txn) const { mdb_txn_abort(txn); }
  };
  explicit Transaction(MDB_txn* txn) : txn_(txn) {}
  static Result<Transaction> begin(const Environment& environment, unsigned int flags);

  std::unique_ptr<MDB_txn, Abort> txn_;
};

// A walk over one table within one transaction, which must outlive it.
class Cursor {
 public:
  static Result<Cursor> open(const Transaction& transaction, MDB_dbi table);

  struct Entry {
    BytesView key;
    BytesView value;
  };
  // nullopt: past the end.
  Result<std::optional<Entry>> first() { return move(MDB_FIRST); }
  Result<std::optional<Entry>> next() { return move(MDB_NEXT); }
  Result<std::optional<Entry>> last() { return move(MDB_LAST); }
  // The entry with this very key; nullopt: there is none.
  Result<std::optional<Entry>> find(BytesView key);
  // Erases the entry the cursor stands on.
  Status erase_here();

 private:
  struct Close {
    void operator()(MDB_cursor* cursor) const { mdb_cursor_close(cursor); }
  };
  explicit Cursor(MDB_cursor* cursor) : cursor_(cursor) {}
  Result<std::optional<Entry>> move(MDB_cursor_op operation);

  std::unique_ptr<MDB_cursor, Close> cursor_;
};

// Pages below the high-water mark that hold nothing. Reads one word for every transaction on the
// free list, so its cost grows with that list: call it rarely.
Result<std::uint64_t> count_free_pages(const Environment& environment);

}  // namespace millrace::broker::lmdb
