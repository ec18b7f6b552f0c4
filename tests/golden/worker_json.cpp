// The fields of what workers say and hear, and the names of all tables.
#include <algorithm>

#include "tests/golden/json_words.h"

namespace millrace::golden {
namespace {

Json table(const WorkerHello& message, Parts&) {
  return {{"hello_number", wide(message.hello_number)},
          {"worker", json_of(message.worker)},
          {"name", message.name},
          {"queues", message.queues},
          {"slots", message.slots},
          {"credit", message.credit},
          {"version", message.version},
          {"protocol_version", message.protocol_version},
          {"holding", leases_of(message.holding)}};
}

Json table(const Complete& message, Parts& parts) {
  Json items = Json::array();
  std::string errors;
  for (const Completion& item : message.items) {
    items.push_back({{"task", json_of(item.task)},
                     {"fence", json_of(item.fence)},
                     {"elapsed_ns", json_of(item.elapsed)},
                     {"result_bytes", item.result.size()},
                     {"error_bytes", item.error.size()},
                     {"outcome", word(item.outcome)}});
    errors += item.error;
    parts.push_back(item.result);
  }
  return {{"items", items},
          {"errors", base64(SharedBytes::copy_of(errors))},
          {"credit", message.credit},
          {"answers_recall", wide(message.answers_recall)}};
}

Json table(const Extend& message, Parts&) {
  Json items = Json::array();
  for (const Extension& item : message.items) {
    items.push_back({{"task", json_of(item.task)},
                     {"fence", json_of(item.fence)},
                     {"by_ns", json_of(item.by)},
                     {"progress_percent", item.progress_percent}});
  }
  return {{"items", items}};
}

Json table(const WorkerGoodbye& message, Parts&) {
  return {{"message", message.message}};
}

// ---- answers ------------------------------------------------------------------------------------

Json table(const WorkerWelcome& message, Parts&) {
  return {{"hello_number", wide(message.hello_number)},
          {"session", json_of(message.session)},
          {"epoch", json_of(message.epoch)},
          {"endpoints", json_of(message.endpoints)},
          {"limits", json_of(message.limits)},
          {"beat_interval_ns", json_of(message.liveness.beat_interval)},
          {"silence_max_ns", json_of(message.liveness.silence_max)},
          {"stale", leases_of(message.stale)},
          {"broker_version", message.broker_version}};
}

Json table(const Dispatch& message, Parts& parts) {
  std::vector<std::string> queues;
  Json tasks = Json::array();
  for (const DispatchedTask& task : message.tasks) {
    auto queue = std::find(queues.begin(), queues.end(), task.queue);
    if (queue == queues.end()) queue = queues.insert(queues.end(), task.queue);
    tasks.push_back({{"task", json_of(task.task)},
                     {"fence", json_of(task.fence)},
                     {"timeout_ns", json_of(task.timeout)},
                     {"spec_bytes", task.spec.size()},
                     {"queue_index", queue - queues.begin()},
                     {"attempt", task.attempt},
                     {"max_attempts", task.max_attempts}});
    parts.push_back(task.spec);
  }
  return {{"tasks", tasks}, {"queues", queues}};
}

Json table(const Completed& message, Parts&) {
  Json items = Json::array();
  Json stale = Json::array();
  for (std::size_t i = 0; i < message.items.size(); ++i) {
    const CompletionAnswer& item = message.items[i];
    items.push_back({{"task", json_of(item.task)}, {"fence", json_of(item.fence)}});
    if (!item.accepted) stale.push_back(i);
  }
  return {{"items", items}, {"stale", stale}};
}

Json table(const StopTasks& message, Parts&) {
  static constexpr const char* kCauses[] = {"unset", "cancelled", "stale_lease", "timed_out"};
  Json tasks = Json::array();
  for (const StoppedTask& task : message.tasks) {
    tasks.push_back({{"task", json_of(task.task)},
                     {"fence", json_of(task.fence)},
                     {"cause", kCauses[static_cast<int>(task.cause)]}});
  }
  return {{"tasks", tasks}};
}

Json table(const Recall& message, Parts&) {
  return {{"recall_number", wide(message.recall_number)}, {"tasks", leases_of(message.tasks)}};
}
Json table(const Drain&, Parts&) {
  return Json::object();
}
Json table(const Refused& message, Parts&) {
  return json_of(message);
}
Json table(const BrokerGoodbye& message, Parts&) {
  return {{"message", message.message}};
}

// In the order of the variants in common/base/messages.h.
constexpr const char* kClientMessages[] = {
    "ClientHello", "Submit",      "Watch",         "Cancel",       "GetTasks",
    "ListTasks",   "RequeueDead", "PurgeDead",     "ControlQueue", "DrainWorker",
    "GetStatus",   "Ping",        "ClientGoodbye", "Explain",      "ChangeTasks"};
constexpr const char* kClientReplies[] = {
    "ClientWelcome", "Submitted", "Watching",     "Finished", "Cancelled",
    "TaskList",      "Changed",   "StatusReport", "Pong",     "Refused",
    "BrokerGoodbye", "Explained", "TasksChanged"};
constexpr const char* kWorkerMessages[] = {"WorkerHello", "Complete", "Extend", "WorkerGoodbye"};
constexpr const char* kWorkerReplies[] = {"WorkerWelcome", "Dispatch",     "Completed",
                                          "StopTasks",     "Recall",       "Drain",
                                          "Refused",       "BrokerGoodbye"};

template <class Message>
std::uint64_t request_in(const Message& message) {
  if constexpr (requires { message.request; }) {
    return message.request.value;
  } else {
    return 0;
  }
}

}  // namespace

Json fields_of(const WorkerMessage& message, Parts& parts) {
  return std::visit([&parts](const auto& body) { return table(body, parts); }, message);
}
Json fields_of(const WorkerReply& message, Parts& parts) {
  return std::visit([&parts](const auto& body) { return table(body, parts); }, message);
}

std::string name_of_table(const Value& value) {
  if (const auto* message = std::get_if<ClientMessage>(&value))
    return kClientMessages[message->index()];
  if (const auto* message = std::get_if<ClientReply>(&value))
    return kClientReplies[message->index()];
  if (const auto* message = std::get_if<WorkerMessage>(&value))
    return kWorkerMessages[message->index()];
  if (const auto* message = std::get_if<WorkerReply>(&value))
    return kWorkerReplies[message->index()];
  return "";
}

std::uint64_t request_of(const Value& value) {
  return std::visit(
      [](const auto& message) -> std::uint64_t {
        if constexpr (requires { message.index(); }) {
          return std::visit([](const auto& body) { return request_in(body); }, message);
        } else {
          return 0;
        }
      },
      value);
}

}  // namespace millrace::golden
