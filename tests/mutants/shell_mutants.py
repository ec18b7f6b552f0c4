"""Faults in what touches the world: the store, the shell around the core, the clock."""

from mutant import Mutant, shell, store

STORES = (
    store("store_writer", "acknowledged_before_the_commit", "P1",
          "a batch is told as durable before it is",
          "  if (Status committed = transaction->commit(); !committed.ok()) return committed;\n",
          "  if (!batches.empty()) announce(group, batches.back().number, since(start));\n"
          "  if (Status committed = transaction->commit(); !committed.ok()) return committed;\n"),
    store("store_writer", "failed_commit_ignored", "P14", "the broker goes on after a failed commit",
          "    if (!committed.ok()) return committed;\n    batches = ", "    batches = "),
    store("store_writer", "commit_error_told_as_full", "P15",
          "a failed commit counts as certainly not done: the broker goes on and refuses",
          "      on_failure_(done.error());\n      return;\n",
          "      taken.clear();\n      const std::lock_guard lock(report_mutex_);\n"
          "      level_.usage.accepting = false;\n      continue;\n"),
    store("store_writer", "index_ahead_of_the_commit", "P17",
          "the index names places that no commit has written yet",
          "  if (Status committed = transaction->commit(); !committed.ok()) return committed;\n"
          "  index_.publish(appender.update());\n",
          "  index_.publish(appender.update());\n"
          "  if (Status committed = transaction->commit(); !committed.ok()) return committed;\n"),
    store("store_writer", "batch_in_two_transactions", "P5",
          "a payload is committed apart from the record that names it",
          "      if (Status applied = applier_.apply(*transaction, write); !applied.ok()) return "
          "applied;\n",
          "      if (Status applied = applier_.apply(*transaction, write); !applied.ok()) return "
          "applied;\n"
          "      if (!std::holds_alternative<PutSpec>(write)) continue;\n"
          "      if (Status early = appender.finish(*transaction); !early.ok()) return early;\n"
          "      if (Status early = transaction->commit(); !early.ok()) return early;\n"
          "      transaction = lmdb::Transaction::begin_write(environment_);\n"
          "      if (!transaction.ok()) return transaction.error();\n"),
    store("write_applier", "books_left_out", "P5", "the books are not written with what they count",
          "    Status added =\n"
          "        appender_.add(transaction, make_record(RecordKind::totals, TaskSequence(), body));\n"
          "    if (!added.ok()) return added;\n", ""),
    store("write_applier", "books_one_commit_late", "P5",
          "the books are committed apart from what they count",
          "  put_apart_.clear();\n",
          "  put_apart_.clear();\n  static std::optional<Totals> waiting;\n  waiting.swap(totals_);\n"),
    store("store_writer", "closing_loses_what_waits", "P1", "an orderly end loses what was submitted",
          "  if (ending_ && mailbox_.empty()) return false;\n", "  if (ending_) return false;\n"),
    store("lmdb_env", "no_sync", "P1", "a commit is not forced to the disk",
          "      MDB_NOTLS | MDB_NORDAHEAD | (access",
          "      MDB_NOTLS | MDB_NORDAHEAD | MDB_NOSYNC | (access"),
    store("lmdb_env", "sync_error_ignored", "P14", "a failed sync counts as done",
          "  if (code != 0) return error_of(code, \"commit\");\n",
          "  if (code != 0 && code != EIO) return error_of(code, \"commit\");\n"),
    store("layout", "checksum_not_checked", "P17", "a damaged record is served",
          "  if (little_endian(value.first(kChecksumBytes)) != checksum(key, value)) {",
          "  if (value.empty()) {"),
    store("log_entry", "entry_checksum_not_checked", "P17", "a damaged entry of the log is read",
          "  if (load_little_endian<std::uint32_t>(bytes.data()) != sum) {",
          "  if (bytes.size() + sum == 0) {"),
    store("snapshot_reader", "record_checksum_not_checked", "P17",
          "a damaged record of the log is served",
          "  if (!is_intact(*record)) return", "  if (record->body.size() > 65'535) return"),
    store("lmdb_store", "reader_stays_in_the_past", "P17",
          "a reader looks for what is new in the snapshot it took before",
          "  if (snapshot_commits_ == commits) return Done{};",
          "  if (snapshot_commits_ != 0) return Done{};"),
    store("log_cleaner", "survivors_left_behind", "P11",
          "what counts is not carried forward, so that its entry is never dropped",
          "    if (status.ok() && index.is_live(number, record)) status",
          "    if (status.ok() && index.is_live(number, record) && record.body.empty()) status"),
    store("log_cleaner", "garbage_is_kept", "P11", "nothing is cleaned until nothing fits",
          "         index.garbage_bytes() > garbage_allowed(index, level);",
          "         index.garbage_bytes() > level.usage.map_bytes_max;"),
    store("data_directory", "two_brokers_in_one_directory", "P1",
          "a second broker opens the directory of one that runs",
          "LOCK_EX | LOCK_NB", "LOCK_SH | LOCK_NB"),
    store("tables", "missing_chunk_served", "P17", "a value with a hole in it is served",
          "      return corrupt_value(table, chunk_key.view(), \"is missing\");\n",
          "      break;\n"),
    store("tables", "old_chunks_stay", "P17", "a shorter value keeps the tail of a longer one",
          "  if (table != TableId::meta) {\n    if (Status erased",
          "  if (table == TableId::meta) {\n    if (Status erased"),
    store("space_watch", "watermark_ignored", "P11", "submits are accepted until nothing fits",
          "  accepting_ = map_has_room() && disk_has_room();\n", "  accepting_ = disk_has_room();\n"),
    store("space_watch", "disk_reserve_ignored", "P11", "submits are accepted until the disk is full",
          "  accepting_ = map_has_room() && disk_has_room();\n", "  accepting_ = map_has_room();\n"),
    store("store_identity", "newer_format_is_read", "P18",
          "a directory of a newer broker is opened and changed",
          "  if (version > kFormatVersion) {", "  if (version > kFormatVersion * 1'000) {"),
    store("store_identity", "epoch_stands_still", "P7", "a restart is not told from the run before",
          "  identity.epoch = Epoch(*epoch + 1);", "  identity.epoch = Epoch(std::max(*epoch, "
          "std::uint64_t{1}));"),
    store("record_codec", "cancel_mark_not_stored", "P20",
          "the mark of a cancel does not survive a restart",
          "  task.cancel_requested = stored->cancel_requested();\n", ""),
)

SHELL = (
    shell("outbox", "told_before_it_is_durable", "P1", "answers leave before the sync",
          "  while (!turns_.empty() && turns_.front().batch <= durable) {",
          "  while (!turns_.empty() && turns_.front().batch <= durable.next()) {"),
    shell("outbox", "lost_dispatch_is_not_noticed", "P6",
          "a dispatch that no connection took stays leased",
          "    undelivered.emplace_back(DispatchUndeliverable{peer, std::move(leases)});\n",
          "    static_cast<void>(undelivered);\n"),
    shell("outbox", "dropped_send_not_counted", "P15", "a message is dropped and nobody knows",
          "                                               wire::encode(reply)) == "
          "wire::SendStatus::sent;\n  if (!sent) ++sends_dropped_;\n  return sent;",
          "                                               wire::encode(reply)) == "
          "wire::SendStatus::sent;\n  return sent;"),
    shell("outbox", "result_left_out", "P21", "an end is told without its result",
          "        item.task.result = std::move(*result);\n", "        result = SharedBytes();\n"),
    shell("outbox", "unreadable_payload_is_sent", "P17", "a payload that is damaged goes out empty",
          "        undelivered.emplace_back(SpecUnreadable{item.task.task, item.task.fence,\n"
          "                                                \"the stored payload: \" + "
          "stored.error().message});\n        continue;\n",
          "        stored = SharedBytes();\n"),
    shell("reactor", "full_store_not_noticed", "P11", "the core is not told that the store is full",
          "  events_.emplace_back(StoreLevelChanged{accepting});\n", ""),
    shell("reactor", "stops_with_work_unwritten", "P1", "an orderly stop does not wait for the disk",
          "  return stopping_ && undelivered_.empty() && outbox_.empty() && store_.durable() >= "
          "last_batch_;",
          "  return stopping_ && undelivered_.empty();"),
    shell("reactor", "undelivered_is_forgotten", "P6",
          "what the outbox could not send is not told to the core",
          "  events_.swap(undelivered_);\n", ""),
)

CLOCK = (
    Mutant("lease_on_the_wall_clock", "P13", "time jumps with the wall clock",
           "common/host/clock.cpp",
           "  return Time::since_epoch(since_its_epoch<std::chrono::steady_clock>() + offset_);",
           "  return Time::since_epoch(since_its_epoch<std::chrono::system_clock>() + "
           "Duration::nanoseconds(offset_.in_nanoseconds() * 0));", ("host",)),
)

SHELL_MUTANTS = STORES + SHELL + CLOCK
