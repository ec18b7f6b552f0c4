#include "client/cpp/watch_book.h"

#include <algorithm>
#include <utility>

namespace millrace::client {

void WatchBook::add(const TaskId& id) {
  const bool is_new = awaited_.try_emplace(id, Awaited{Phase::fresh, Time()}).second;
  if (is_new) fresh_.push_back(id);
}

void WatchBook::expect(const TaskId& id) {
  awaited_.try_emplace(id, Awaited{Phase::submitting, Time()});
}

void WatchBook::confirm(const TaskId& id, Time now) {
  const auto found = awaited_.find(id);
  if (found != awaited_.end() && found->second.phase == Phase::submitting) mark_asked(id, now);
}

void WatchBook::dismiss(const TaskId& id) {
  const auto found = awaited_.find(id);
  if (found != awaited_.end() && found->second.phase == Phase::submitting) awaited_.erase(found);
}

bool WatchBook::remove(const TaskId& id) {
  return awaited_.erase(id) > 0;
}

void WatchBook::mark_asked(const TaskId& id, Time now) {
  awaited_[id] = Awaited{Phase::asked, now};
  asked_.push_back(Asked{now, id});
}

bool WatchBook::answer(const Watching& watching, Actions& actions) {
  if (questions_.erase(watching.request) == 0) return false;
  for (const TaskId& id : watching.unknown) {
    if (remove(id)) actions.events.push_back(UnknownTask{id});
  }
  return true;
}

bool WatchBook::refuse(const Refused& refused, Time now) {
  const auto found = questions_.find(refused.request);
  if (found == questions_.end()) return false;
  // Asked again later as if unheard; a pause keeps a broker that says no from being flooded.
  hold_until_ = std::max(hold_until_, now + std::max(refused.retry_after, settings_.ping_interval));
  for (const TaskId& id : found->second.tasks) {
    const auto awaited = awaited_.find(id);
    if (awaited == awaited_.end() || awaited->second.phase != Phase::asked) continue;
    awaited.value().phase = Phase::fresh;
    fresh_.push_back(id);
  }
  questions_.erase(found);
  return true;
}

void WatchBook::ask_all_again() {
  questions_.clear();
  hold_until_ = Time();
  for (const Asked& asked : asked_) {
    if (!is_current(asked)) continue;
    awaited_[asked.id].phase = Phase::fresh;
    fresh_.push_back(asked.id);
  }
  asked_.clear();
}

bool WatchBook::is_current(const Asked& asked) const {
  const auto found = awaited_.find(asked.id);
  return found != awaited_.end() && found->second.phase == Phase::asked &&
         found->second.asked == asked.at;
}

Time WatchBook::due(const Asked& asked) const {
  const Time quiet = std::max(asked.at, last_heard_) + settings_.watch_again_after;
  return std::min(quiet, asked.at + settings_.watch_again_at_last);
}

void WatchBook::drop_stale_front() {
  while (!asked_.empty() && !is_current(asked_.front())) asked_.pop_front();
  while (!fresh_.empty()) {
    const auto found = awaited_.find(fresh_.front());
    if (found != awaited_.end() && found->second.phase == Phase::fresh) break;
    fresh_.pop_front();
  }
}

std::vector<TaskId> WatchBook::take_due(Time now) {
  const std::size_t items_max =
      std::max<std::size_t>(1, std::min(settings_.batch_items, settings_.limits.batch_items_max));
  std::vector<TaskId> tasks;
  for (;;) {
    drop_stale_front();
    if (tasks.size() >= items_max) break;
    if (!fresh_.empty()) {
      tasks.push_back(fresh_.front());
      fresh_.pop_front();
    } else if (!asked_.empty() && due(asked_.front()) <= now) {
      tasks.push_back(asked_.front().id);
      asked_.pop_front();
    } else {
      break;
    }
    mark_asked(tasks.back(), now);
  }
  return tasks;
}

void WatchBook::send_due(Time now, RequestCounter& requests, Actions& actions) {
  if (now < hold_until_) return;
  // An unanswered question is given up; its tasks fall due again by themselves.
  for (auto question = questions_.begin(); question != questions_.end();) {
    question = question->second.give_up <= now ? questions_.erase(question) : std::next(question);
  }
  while (questions_.size() < settings_.watches_in_flight_max) {
    std::vector<TaskId> tasks = take_due(now);
    if (tasks.empty()) break;
    const RequestId request = requests.next();
    questions_.emplace(request, Question{tasks, now + settings_.resend_after});
    actions.sends.push_back(Watch{request, std::move(tasks)});
  }
}

Time WatchBook::next_send() const {
  Time next = Time::never();
  for (const auto& [request, question] : questions_) next = std::min(next, question.give_up);
  if (questions_.size() < settings_.watches_in_flight_max) {
    if (!fresh_.empty()) next = Time();
    if (!asked_.empty()) next = std::min(next, due(asked_.front()));
  }
  return next == Time::never() ? next : std::max(next, hold_until_);
}

}  // namespace millrace::client
