// Turns the core's writes into puts and erases of one transaction.
#pragma once

#include "broker/core/effect.h"
#include "broker/store/tables.h"

namespace millrace::broker {

// Remembers the highest keys, so that values of new tasks are appended: pages fill up whole. One
// transaction at a time. After a failed or aborted transaction it must not be used again.
class WriteApplier {
 public:
  // `transaction` is any that sees the newest commit.
  static Result<WriteApplier> open(const lmdb::Transaction& transaction, const Tables& tables);

  Status apply(lmdb::Transaction& transaction, const Write& change);

 private:
  explicit WriteApplier(const Tables& tables) : tables_(tables) {}

  Status write(lmdb::Transaction& transaction, const PutTask& change);
  Status write(lmdb::Transaction& transaction, const PutSpec& change);
  Status write(lmdb::Transaction& transaction, const EraseSpec& change);
  Status write(lmdb::Transaction& transaction, const PutResult& change);
  Status write(lmdb::Transaction& transaction, const PutAttempt& change);
  Status write(lmdb::Transaction& transaction, const EraseTask& change);
  Status write(lmdb::Transaction& transaction, const EraseAttempts& change);
  Status write(lmdb::Transaction& transaction, const PutQueue& change);
  Status write(lmdb::Transaction& transaction, const PutTotals& change);

  Tables tables_;
  TaskSequence last_task_;
  TaskSequence last_spec_;
};

// What a write costs at most, roughly.
struct WriteSize {
  ByteCount bytes;          // it adds to the data file
  std::uint64_t pages = 0;  // it changes
  WriteSize& operator+=(const WriteSize& other) {
    bytes = bytes + other.bytes;
    pages += other.pages;
    return *this;
  }
};
WriteSize size_of(const Write& change);

}  // namespace millrace::broker
