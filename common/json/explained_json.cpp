#include "common/json/explained_json.h"

#include "common/base/task_history.h"
#include "common/json/values.h"

namespace millrace::json {
namespace {

using Json = nlohmann::ordered_json;

Json name_or_null(const std::string& name) {
  return name.empty() ? Json(nullptr) : Json(name);
}

Json entry_json(const HistoryEntry& entry) {
  Json json = {{"at", moment(entry.at)}, {"event", entry.event}};
  if (entry.attempt > 0) json["attempt"] = entry.attempt;
  if (!entry.fence.is_none()) json["fence"] = id_number(entry.fence.value);
  if (!entry.worker.empty()) json["worker"] = entry.worker;
  if (!entry.detail.empty()) json["detail"] = entry.detail;
  return json;
}

}  // namespace

Json explanation_json(const Explained& e) {
  return {{"id", to_text(e.task.id)},
          {"queue", e.task.queue},
          {"state", name_of(e.task.state)},
          {"standing", name_of(e.standing)},
          {"text", e.text},
          {"since", moment(e.since)},
          {"until", moment(e.until)},
          {"tasks_ahead", id_number(e.ahead)},
          {"tasks_ahead_is_estimate", e.ahead_is_estimate},
          {"wait_seconds", e.wait > Duration() ? Json(e.wait.in_seconds()) : Json(nullptr)},
          {"queue_workers", e.workers},
          {"worker", name_or_null(e.task.worker)},
          {"attempts", e.task.attempts},
          {"max_attempts", e.task.max_attempts}};
}

Json history_json(const Explained& explained) {
  Json entries = Json::array();
  for (const HistoryEntry& entry : history_of(explained)) entries.push_back(entry_json(entry));
  return {{"id", to_text(explained.task.id)},
          {"state", name_of(explained.task.state)},
          {"history", std::move(entries)}};
}

}  // namespace millrace::json
