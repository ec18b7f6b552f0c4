// A data directory written by hand, below the store: what a store would never write and a damaged
// or foreign file may hold.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>

#include "broker/store/log_appender.h"
#include "broker/store/record_codec.h"
#include "broker/store/tables.h"
#include "tests/unit/store/store_fixture.h"

namespace millrace::testing {

inline std::span<const std::uint8_t> bytes_of_text(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// One write transaction on the directory.
struct Forge {
  broker::lmdb::Transaction& transaction;
  const broker::Tables& tables;
  broker::LogAppender& log;

  void record(broker::RecordKind kind, std::uint64_t sequence, std::span<const std::uint8_t> body) {
    ASSERT_TRUE(log.add(transaction, make_record(kind, TaskSequence(sequence), body)).ok());
  }
  void damaged_record(broker::RecordKind kind, std::uint64_t sequence, std::string_view body) {
    broker::LogRecord wrong = make_record(kind, TaskSequence(sequence), bytes_of_text(body));
    ++wrong.checksum;
    ASSERT_TRUE(log.add(transaction, wrong).ok());
  }
  void task(const broker::TaskRecord& task) {
    record(broker::RecordKind::task, task.sequence.value, broker::TaskBody(task).view());
  }
  void totals(std::uint64_t accepted, std::uint64_t last_sequence) {
    broker::Totals totals;
    totals.accepted = accepted;
    totals.last_sequence = last_sequence;
    record(broker::RecordKind::totals, 0, broker::encode_totals(totals));
  }
  void value(broker::TableId table, const broker::Key& key, std::string_view body) {
    ASSERT_TRUE(tables.put(transaction, table, key, bytes_of_text(body)).ok());
  }
  void erase(broker::TableId table, const broker::Key& key) {
    ASSERT_TRUE(*transaction.erase(tables.handle(table), key.view()));
  }
  // Without header and checksum.
  void raw(broker::TableId table, broker::lmdb::BytesView key,
           std::span<const std::uint8_t> bytes) {
    const auto room = transaction.reserve(tables.handle(table), key, bytes.size(), 0);
    ASSERT_TRUE(room.ok());
    std::copy(bytes.begin(), bytes.end(), room->begin());
  }
  std::vector<std::uint8_t> raw_copy(broker::TableId table, broker::lmdb::BytesView key) const {
    const auto found = transaction.get(tables.handle(table), key);
    if (!found.ok() || !found->has_value()) return {};
    return {(*found)->begin(), (*found)->end()};
  }
};

class ForgedStore : public LmdbStoreTest {
 protected:
  using Write = std::function<void(Forge&)>;

  // What is added to the log lies in entries from `first` on, of this batch and epoch.
  void forge(const Write& write, std::uint64_t first = 1, std::uint64_t batch = 1,
             std::uint64_t epoch = 1) {
    auto environment = broker::lmdb::Environment::open(settings_.directory, settings_.map_bytes_max,
                                                       broker::kAllTables.size());
    ASSERT_TRUE(environment.ok()) << environment.error().message;
    auto transaction = broker::lmdb::Transaction::begin_write(*environment);
    ASSERT_TRUE(transaction.ok()) << transaction.error().message;
    const auto tables = broker::Tables::open(*transaction, true);
    ASSERT_TRUE(tables.ok()) << tables.error().message;
    broker::LogAppender log(tables->handle(broker::TableId::log), environment->page_bytes(),
                            Epoch(epoch), broker::EntryNumber(first), BatchNumber(batch));
    Forge forge{*transaction, *tables, log};
    write(forge);
    ASSERT_TRUE(log.finish(*transaction).ok());
    ASSERT_TRUE(transaction->commit().ok());
  }

  // A waiting task of queue 1 with nothing stored beside its record.
  static broker::TaskRecord plain_task(std::uint64_t sequence) {
    broker::TaskRecord task;
    task.sequence = TaskSequence(sequence);
    task.id.bytes[15] = static_cast<std::uint8_t>(sequence);
    task.queue = broker::QueueNumber(1);
    task.max_attempts = 3;
    return task;
  }
};

}  // namespace millrace::testing
