#include "client/cpp/later_submits.h"

#include "client/cpp/batch_call.h"

namespace millrace::client {

void LaterSubmits::add(const TaskId& id, Client::SubmitCallback on_answer) {
  const std::lock_guard lock(mutex_);
  waiting_.emplace(id, std::move(on_answer));
}

void LaterSubmits::put(std::vector<SessionEvent>& events) {
  for (const SessionEvent& event : events) {
    if (const auto* result = std::get_if<SubmitResult>(&event)) {
      answer(result->id, to_result(result->status, result->message));
    } else if (const auto* silent = std::get_if<SubmitUnanswered>(&event)) {
      answer(silent->id, unanswered_());
    }
  }
  events.clear();
}

void LaterSubmits::answer(const TaskId& id, const Result<SubmitStatus>& result) {
  Client::SubmitCallback callback;
  {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(id);
    if (found == waiting_.end()) return;
    callback = std::move(found->second);
    waiting_.erase(found);
  }
  if (callback) callback(id, result);
}

void LaterSubmits::close() {
  std::multimap<TaskId, Client::SubmitCallback> rest;
  {
    const std::lock_guard lock(mutex_);
    rest.swap(waiting_);
  }
  const Error closed{ErrorCode::unavailable, "the client was closed"};
  for (const auto& [id, callback] : rest) {
    if (callback) callback(id, closed);
  }
}

}  // namespace millrace::client
