#include "client/cpp/call_routes.h"

#include <utility>

namespace millrace::client {

void CallRoutes::add_group(SubmitGroup group, const CallInboxPointer& inbox) {
  groups_.try_emplace(group, inbox);
}

void CallRoutes::add_request(RequestId request, const CallInboxPointer& inbox) {
  requests_.try_emplace(request, inbox);
}

void CallRoutes::add_awaited(const TaskId& task, const CallInboxPointer& inbox) {
  const auto [first, last] = awaited_.equal_range(task);
  for (auto route = first; route != last; ++route) {
    if (route->second == inbox) return;
  }
  awaited_.emplace(task, inbox);
}

void CallRoutes::stop_awaiting(const TaskId& task, const CallInboxPointer& inbox) {
  const auto [first, last] = awaited_.equal_range(task);
  for (auto route = first; route != last; ++route) {
    if (route->second != inbox) continue;
    awaited_.erase(route);
    return;
  }
}

void CallRoutes::deliver_end(const TaskId& task, const SessionEvent& event) {
  const auto [first, last] = awaited_.equal_range(task);
  for (auto route = first; route != last; ++route) route->second->put(event);
  awaited_.erase(first, last);
}

void CallRoutes::deliver(SessionEvent event) {
  if (const auto* finished = std::get_if<FinishedTask>(&event)) {
    deliver_end(finished->id, event);
  } else if (const auto* unknown = std::get_if<UnknownTask>(&event)) {
    deliver_end(unknown->id, event);
  } else if (const auto* result = std::get_if<SubmitResult>(&event)) {
    const auto found = groups_.find(result->group);
    if (found == groups_.end()) return;
    const bool durable =
        result->status == SubmitStatus::accepted || result->status == SubmitStatus::duplicate;
    if (!durable) stop_awaiting(result->id, found->second);
    found->second->put(std::move(event));
  } else if (const auto* unanswered = std::get_if<SubmitUnanswered>(&event)) {
    const auto found = groups_.find(unanswered->group);
    if (found == groups_.end()) return;
    stop_awaiting(unanswered->id, found->second);
    found->second->put(std::move(event));
  } else {
    RequestId request;
    if (const auto* reply = std::get_if<Reply>(&event)) request = reply->request;
    if (const auto* silent = std::get_if<RequestUnanswered>(&event)) request = silent->request;
    const auto found = requests_.find(request);
    if (found == requests_.end()) return;
    found->second->put(std::move(event));
    requests_.erase(found);
  }
}

CallRoutes::Open CallRoutes::remove(const CallInboxPointer& inbox) {
  Open open;
  for (auto route = groups_.begin(); route != groups_.end();) {
    const auto current = route++;
    if (current->second != inbox) continue;
    open.groups.push_back(current->first);
    groups_.erase(current);
  }
  for (auto route = requests_.begin(); route != requests_.end();) {
    const auto current = route++;
    if (current->second != inbox) continue;
    open.requests.push_back(current->first);
    requests_.erase(current);
  }
  for (auto route = awaited_.begin(); route != awaited_.end();) {
    const auto current = route++;
    if (current->second != inbox) continue;
    if (awaited_.count(current->first) == 1) open.awaited.push_back(current->first);
    awaited_.erase(current);
  }
  return open;
}

void CallRoutes::close_all() {
  for (const auto& [group, inbox] : groups_) inbox->close();
  for (const auto& [request, inbox] : requests_) inbox->close();
  for (const auto& [task, inbox] : awaited_) inbox->close();
  groups_.clear();
  requests_.clear();
  awaited_.clear();
}

}  // namespace millrace::client
