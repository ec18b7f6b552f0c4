#include "broker/admin/api_documents.h"

#include <algorithm>
#include <utility>

#include "broker/admin/json_text.h"
#include "common/wire/task_codec.h"

namespace millrace::broker {
namespace {

Json document_of(const SubmitOutcome& outcome) {
  Json document = Json::object();
  if (!outcome.id.is_nil()) document["id"] = to_text(outcome.id);
  if (outcome.status) {
    const bool duplicate = *outcome.status == SubmitStatus::duplicate;
    document["status"] = duplicate ? "duplicate" : "accepted";
  } else {
    const Error& error = outcome.status.error();
    document["error"] = {{"code", name_of(error.code)}, {"message", text(error.message)}};
  }
  return document;
}

}  // namespace

std::string submit_json(const SubmitOutcome& outcome) {
  return dump(document_of(outcome));
}

std::string submit_batch_json(const std::vector<SubmitOutcome>& outcomes) {
  const auto accepted =
      std::count_if(outcomes.begin(), outcomes.end(),
                    [](const SubmitOutcome& outcome) { return outcome.status.ok(); });
  Json tasks = Json::array();
  for (const SubmitOutcome& outcome : outcomes) tasks.push_back(document_of(outcome));
  Json document = Json::object();
  document["accepted"] = accepted;
  document["refused"] = static_cast<std::ptrdiff_t>(outcomes.size()) - accepted;
  document["tasks"] = std::move(tasks);
  return dump(document);
}

std::string cancel_json(const TaskId& id, const CancelAnswer& answer) {
  const bool running = answer.status == CancelStatus::cancelling;
  return dump({{"id", to_text(id)},
               {"status", running ? "cancelling" : "cancelled"},
               {"state", name_of(answer.state)}});
}

std::string changed_json(std::uint64_t count) {
  return dump({{"changed", id_number(count)}});
}

std::string step_json(const TasksChanged& changed) {
  const Json cursor = changed.next_cursor == 0 ? Json(nullptr) : id_number(changed.next_cursor);
  return dump({{"changed", id_number(changed.count)}, {"next_cursor", cursor}});
}

Result<std::string> lease_json(const DispatchedTask& task, Duration lease,
                               const PeerLimits& limits) {
  const Result<wire::TaskDescription> spec = wire::decode_task(task.spec, limits);
  if (!spec) return Error{ErrorCode::corrupt, "the task cannot be read: " + spec.error().message};
  Json headers = Json::object();
  for (const auto& [key, value] : spec->headers) headers[key] = value;
  Json document = {{"task", to_text(task.task)},        {"fence", id_number(task.fence.value)},
                   {"queue", text(task.queue)},         {"attempt", task.attempt},
                   {"max_attempts", task.max_attempts}, {"timeout_seconds", seconds(task.timeout)},
                   {"lease_seconds", seconds(lease)},   {"headers", std::move(headers)}};
  add_bytes(document, "payload", spec->payload);
  return dump(document);
}

std::string lease_status_json(const HeldLease& lease, std::string_view status) {
  return dump(
      {{"task", to_text(lease.task)}, {"fence", id_number(lease.fence.value)}, {"status", status}});
}

}  // namespace millrace::broker
