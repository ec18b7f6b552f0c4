#include "broker/store_export.h"

#include <cerrno>
#include <cstring>
#include <map>

#include "broker/admin/task_json.h"
#include "common/base/limits.h"
#include "common/wire/task_codec.h"

namespace millrace::broker {
namespace {

class Exporter {
 public:
  Exporter(const StoreReader& store, std::FILE* out)
      : store_(store), reader_(store.snapshot(), store.tables()), out_(out) {}

  Result<ExportSummary> run() {
    Result<ScannedLog> log = index_log(store_.snapshot(), store_.tables().handle(TableId::log),
                                       store_.environment().page_bytes());
    if (!log.ok()) return log.error();
    const Status queues = reader_.visit_queues(
        [this](const StoredQueue& queue) { queues_[queue.queue] = queue.name; });
    if (!queues.ok()) return queues.error();
    Status written = Done{};
    log->index.for_each(LogPart::task, [&](TaskSequence sequence, LogIndex::Place place) {
      written = write(collect(log->index, sequence, place.entry));
      return written.ok();
    });
    if (!written.ok()) return written.error();
    return summary_;
  }

 private:
  ExportedTask collect(const LogIndex& index, TaskSequence sequence, EntryNumber entry);
  void add_spec(const LogIndex& index, ExportedTask& task);
  void add_result(const LogIndex& index, ExportedTask& task);
  void add_attempts(const TaskRecord& record, ExportedTask& task);
  Status write(const ExportedTask& task);

  const StoreReader& store_;
  SnapshotReader reader_;
  std::FILE* out_;
  std::map<QueueNumber, std::string> queues_;
  ExportSummary summary_;
};

ExportedTask Exporter::collect(const LogIndex& index, TaskSequence sequence, EntryNumber entry) {
  ExportedTask task;
  task.view.sequence = sequence;
  const Result<TaskRecord> record = reader_.read_task(sequence, entry);
  if (!record.ok()) {
    task.damage.push_back(record.error().message);
    return task;
  }
  task.view.id = record->id;
  task.view.queue = queues_[record->queue];
  task.view.state = record->state;
  task.view.reason = record->reason;
  task.view.cancel_requested = record->cancel_requested;
  task.view.priority = record->priority;
  task.view.attempts = record->attempts;
  task.view.max_attempts = record->max_attempts;
  task.view.fence = record->fence;
  task.view.timeout = record->timeout;
  task.view.accepted = record->accepted;
  task.view.due = record->due;
  task.view.expires = record->expires;
  task.view.ended = record->ended;
  task.view.payload_bytes = record->payload_bytes;
  task.view.result_bytes = record->result_bytes;
  add_spec(index, task);
  add_result(index, task);
  add_attempts(*record, task);
  return task;
}

void Exporter::add_spec(const LogIndex& index, ExportedTask& task) {
  const TaskSequence sequence = task.view.sequence;
  const auto place = index.find(LogPart::spec, sequence);
  if (!place.has_value()) return;
  const Result<SharedBytes> spec = reader_.read(LogPart::spec, sequence, place);
  if (!spec.ok()) return task.damage.push_back(spec.error().message);
  Result<wire::TaskDescription> description = wire::decode_task(*spec, PeerLimits());
  if (!description.ok()) return task.damage.push_back(description.error().message);
  task.has_payload = true;
  task.payload = std::move(description->payload);
  task.headers = std::move(description->headers);
}

void Exporter::add_result(const LogIndex& index, ExportedTask& task) {
  const TaskSequence sequence = task.view.sequence;
  const auto place = index.find(LogPart::result, sequence);
  if (!place.has_value()) return;
  Result<SharedBytes> result = reader_.read(LogPart::result, sequence, place);
  if (!result.ok()) return task.damage.push_back(result.error().message);
  task.view.result = *std::move(result);
}

void Exporter::add_attempts(const TaskRecord& record, ExportedTask& task) {
  for (std::uint32_t number = 1; number <= record.attempt_records; ++number) {
    Result<AttemptRecord> attempt =
        reader_.read_attempt(record.sequence, static_cast<std::uint16_t>(number));
    if (!attempt.ok()) {
      task.damage.push_back(attempt.error().message);
      continue;
    }
    task.view.error = attempt->error;
    task.view.attempt_records.push_back(*std::move(attempt));
  }
}

Status Exporter::write(const ExportedTask& task) {
  ++summary_.tasks;
  if (!task.damage.empty()) ++summary_.damaged;
  const std::string line = exported_task_json(task);
  if (std::fwrite(line.data(), 1, line.size(), out_) == line.size()) return Done{};
  return Error{ErrorCode::io, std::string("cannot write the export: ") + std::strerror(errno)};
}

}  // namespace

Result<ExportSummary> export_tasks(const StoreReader& store, std::FILE* out) {
  Result<ExportSummary> summary = Exporter(store, out).run();
  if (summary.ok() && std::fflush(out) != 0) {
    return Error{ErrorCode::io, std::string("cannot write the export: ") + std::strerror(errno)};
  }
  return summary;
}

}  // namespace millrace::broker
