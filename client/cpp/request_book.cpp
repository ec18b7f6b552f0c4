#include "client/cpp/request_book.h"

#include <algorithm>
#include <utility>

namespace millrace::client {

void RequestBook::add(RequestId request, ClientMessage message, Time give_up) {
  open_.emplace(request, Open{std::move(message), give_up, Time(), 0, 0});
}

bool RequestBook::retry(const Refused& refused, Time now, Random& random) {
  const auto found = open_.find(refused.request);
  if (found == open_.end()) return false;
  Open& open = found->second;
  switch (refused.code) {
    case ErrorCode::busy:
    case ErrorCode::store_full:
    case ErrorCode::shutting_down: {
      const Duration jitter =
          full_jitter(settings_.backoff_initial, settings_.backoff_max, open.retries++, random);
      open.send_at = now + std::max(refused.retry_after, Duration()) + jitter;
      return true;
    }
    case ErrorCode::unknown_session:
      open.send_at = Time();
      return true;
    default:
      return false;
  }
}

void RequestBook::send_all_again() {
  for (auto& [request, open] : open_) open.send_at = Time();
}

void RequestBook::send_due(Time now, Actions& actions) {
  for (auto& [request, open] : open_) {
    if (open.send_at > now) continue;
    ++open.sends;
    open.send_at = now + resend_wait(settings_.resend_after, open.sends);
    actions.sends.push_back(open.message);
  }
}

void RequestBook::give_up(Time now, Actions& actions) {
  for (auto position = open_.begin(); position != open_.end();) {
    if (position->second.give_up > now) {
      ++position;
      continue;
    }
    actions.events.push_back(RequestUnanswered{position->first});
    position = open_.erase(position);
  }
}

Time RequestBook::next_send() const {
  Time next = Time::never();
  for (const auto& [request, open] : open_) next = std::min(next, open.send_at);
  return next;
}

Time RequestBook::next_give_up() const {
  Time next = Time::never();
  for (const auto& [request, open] : open_) next = std::min(next, open.give_up);
  return next;
}

}  // namespace millrace::client
