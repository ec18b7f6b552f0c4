#include "client/cli/task_json.h"

#include "common/json/values.h"
#include "common/wire/task_codec.h"

namespace millrace::cli {
namespace {

using json::add_bytes;
using json::id_number;
using json::moment;

OrderedJson attempt_json(const AttemptRecord& record) {
  return {{"attempt", record.attempt},
          {"fence", id_number(record.fence.value)},
          {"reason", name_of(record.reason)},
          {"started_at", moment(record.started)},
          {"ended_at", moment(record.ended)},
          {"worker", record.worker},
          {"error", record.error}};
}

void add_spec(OrderedJson& object, const SharedBytes& spec) {
  const Result<wire::TaskDescription> task = wire::decode_task(spec, PeerLimits());
  if (!task) return;
  OrderedJson& headers = object["headers"] = OrderedJson::object();
  for (const auto& [key, value] : task->headers) headers[key] = value;
  add_bytes(object, "payload", task->payload);
}

}  // namespace

OrderedJson finished_json(const FinishedTask& task) {
  OrderedJson object = {
      {"id", to_text(task.id)}, {"state", name_of(task.state)}, {"attempts", task.attempts}};
  if (task.state == TaskState::succeeded) {
    add_bytes(object, "result", task.result);
  } else {
    object["reason"] = name_of(task.reason);
    object["error"] = task.error;
  }
  return object;
}

OrderedJson task_view_json(const TaskView& task) {
  OrderedJson object = {{"id", to_text(task.id)},
                        {"queue", task.queue},
                        {"state", name_of(task.state)},
                        {"reason", name_of(task.reason)},
                        {"attempts", task.attempts},
                        {"max_attempts", task.max_attempts},
                        {"priority", task.priority},
                        {"worker", task.worker},
                        {"progress_percent", task.progress_percent},
                        {"cancel_requested", task.cancel_requested},
                        {"error", task.error},
                        {"accepted_at", moment(task.accepted)},
                        {"due_at", moment(task.due)},
                        {"expires_at", moment(task.expires)},
                        {"ended_at", moment(task.ended)},
                        {"timeout_seconds", task.timeout.in_seconds()},
                        {"payload_bytes", task.payload_bytes.value},
                        {"result_bytes", task.result_bytes.value},
                        {"sequence", id_number(task.sequence.value)},
                        {"fence", id_number(task.fence.value)}};
  if (!task.spec.empty()) add_spec(object, task.spec);
  if (!task.result.empty()) add_bytes(object, "result", task.result);
  if (!task.attempt_records.empty()) {
    OrderedJson& records = object["attempt_records"] = OrderedJson::array();
    for (const AttemptRecord& record : task.attempt_records) {
      records.push_back(attempt_json(record));
    }
  }
  return object;
}

}  // namespace millrace::cli
