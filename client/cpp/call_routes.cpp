#include "client/cpp/call_routes.h"

#include <algorithm>
#include <utility>

namespace millrace::client {

void CallRoutes::add_group(SubmitGroup group, const EventSinkPointer& inbox) {
  groups_.try_emplace(group, inbox);
}

void CallRoutes::add_request(RequestId request, const EventSinkPointer& inbox) {
  requests_.try_emplace(request, inbox);
}

void CallRoutes::add_awaited(const TaskId& task, const EventSinkPointer& inbox) {
  const auto [route, is_first] = awaited_.try_emplace(task, inbox);
  if (is_first || route->second == inbox) return;
  const auto [first, last] = awaited_as_well_.equal_range(task);
  for (auto further = first; further != last; ++further) {
    if (further->second == inbox) return;
  }
  awaited_as_well_.emplace(task, inbox);
}

void CallRoutes::stop_awaiting(const TaskId& task, const EventSinkPointer& inbox) {
  auto route = awaited_.find(task);
  if (route == awaited_.end()) return;
  const auto [first, last] = awaited_as_well_.equal_range(task);
  if (route->second == inbox) {
    if (first == last) {
      awaited_.erase(route);
    } else {
      route.value() = first->second;
      awaited_as_well_.erase(first);
    }
    return;
  }
  for (auto further = first; further != last; ++further) {
    if (further->second != inbox) continue;
    awaited_as_well_.erase(further);
    return;
  }
}

void CallRoutes::deliver_end(const TaskId& task, SessionEvent event) {
  const auto route = awaited_.find(task);
  if (route == awaited_.end()) return;
  const auto [first, last] = awaited_as_well_.equal_range(task);
  for (auto further = first; further != last; ++further) sort_to(further->second, event);
  awaited_as_well_.erase(first, last);
  sort_to(route->second, std::move(event));
  awaited_.erase(route);
}

void CallRoutes::sort_to(const EventSinkPointer& inbox, SessionEvent event) {
  auto place = std::find_if(sorted_.begin(), sorted_.end(),
                            [&](const Sorted& sorted) { return sorted.inbox == inbox; });
  if (place == sorted_.end()) place = sorted_.insert(place, Sorted{inbox, {}});
  place->events.push_back(std::move(event));
}

void CallRoutes::flush() {
  for (Sorted& sorted : sorted_) sorted.inbox->put(sorted.events);
  sorted_.clear();
}

void CallRoutes::deliver(SessionEvent event) {
  if (const auto* finished = std::get_if<FinishedTask>(&event)) {
    const TaskId task = finished->id;
    deliver_end(task, std::move(event));
  } else if (const auto* unknown = std::get_if<UnknownTask>(&event)) {
    const TaskId task = unknown->id;
    deliver_end(task, std::move(event));
  } else if (const auto* result = std::get_if<SubmitResult>(&event)) {
    const auto found = groups_.find(result->group);
    if (found == groups_.end()) return;
    const bool durable =
        result->status == SubmitStatus::accepted || result->status == SubmitStatus::duplicate;
    if (!durable) stop_awaiting(result->id, found->second);
    sort_to(found->second, std::move(event));
  } else if (const auto* unanswered = std::get_if<SubmitUnanswered>(&event)) {
    const auto found = groups_.find(unanswered->group);
    if (found == groups_.end()) return;
    stop_awaiting(unanswered->id, found->second);
    sort_to(found->second, std::move(event));
  } else {
    RequestId request;
    if (const auto* reply = std::get_if<Reply>(&event)) request = reply->request;
    if (const auto* silent = std::get_if<RequestUnanswered>(&event)) request = silent->request;
    const auto found = requests_.find(request);
    if (found == requests_.end()) return;
    sort_to(found->second, std::move(event));
    requests_.erase(found);
  }
}

CallRoutes::Open CallRoutes::remove(const EventSinkPointer& inbox) {
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
  std::vector<TaskId> awaited;
  for (const auto& [task, waiting] : awaited_) {
    if (waiting == inbox) awaited.push_back(task);
  }
  for (const TaskId& task : awaited) {
    stop_awaiting(task, inbox);
    if (awaited_.count(task) == 0) open.awaited.push_back(task);
  }
  for (auto further = awaited_as_well_.begin(); further != awaited_as_well_.end();) {
    const auto current = further++;
    if (current->second == inbox) awaited_as_well_.erase(current);
  }
  return open;
}

void CallRoutes::close_all() {
  for (const auto& [group, inbox] : groups_) inbox->close();
  for (const auto& [request, inbox] : requests_) inbox->close();
  for (const auto& [task, inbox] : awaited_) inbox->close();
  for (const auto& [task, inbox] : awaited_as_well_) inbox->close();
  groups_.clear();
  requests_.clear();
  awaited_.clear();
  awaited_as_well_.clear();
}

}  // namespace millrace::client
