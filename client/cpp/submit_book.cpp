#include "client/cpp/submit_book.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace millrace::client {
namespace {

// A task's share of a message beside its spec.
constexpr std::uint64_t kItemOverheadBytes = 64;
// A broker's wish for a pause is followed up to here.
constexpr Duration kHoldMax = Duration::seconds(60);
// Deadlines of many tasks are looked through at most this often.
constexpr Duration kGiveUpInterval = Duration::milliseconds(100);

std::uint64_t bytes_of(const TaskSpec& spec) {
  return spec.bytes.size() + kItemOverheadBytes;
}

bool may_be_retried(SubmitStatus status) {
  return status == SubmitStatus::busy || status == SubmitStatus::store_full ||
         status == SubmitStatus::shutting_down;
}

bool may_be_retried(ErrorCode code) {
  return code == ErrorCode::busy || code == ErrorCode::store_full ||
         code == ErrorCode::shutting_down || code == ErrorCode::unknown_session;
}

SubmitStatus status_of(ErrorCode code) {
  if (code == ErrorCode::too_large) return SubmitStatus::too_large;
  if (code == ErrorCode::conflict) return SubmitStatus::conflict;
  return SubmitStatus::invalid;
}

}  // namespace

void SubmitBook::add(Submission submission, bool watch) {
  earliest_give_up_ = std::min(earliest_give_up_, submission.give_up);
  waiting_.push_back(Item{std::move(submission), watch, false});
}

bool SubmitBook::may_send() const {
  if (waiting_.empty()) return false;
  if (in_flight_.empty()) return true;
  return in_flight_tasks_ < settings_.in_flight_tasks_max &&
         in_flight_bytes_ + bytes_of(waiting_.front().submission.spec) <=
             settings_.in_flight_bytes_max.value;
}

void SubmitBook::send_due(Time now, RequestCounter& requests, Actions& actions) {
  if (now < hold_until_) return;
  for (auto& [request, batch] : in_flight_) {
    if (batch.send_again <= now) send(request, batch, now, actions);
  }
  while (may_send()) {
    const RequestId request = requests.next();
    const auto position = in_flight_.emplace(request, cut_batch()).first;
    in_flight_tasks_ += position->second.items.size();
    in_flight_bytes_ += position->second.bytes;
    send(request, position->second, now, actions);
  }
}

SubmitBook::Batch SubmitBook::cut_batch() {
  const std::size_t room = settings_.in_flight_tasks_max > in_flight_tasks_
                               ? settings_.in_flight_tasks_max - in_flight_tasks_
                               : 1;
  const std::size_t items_max = std::max<std::size_t>(
      1, std::min<std::size_t>({room, settings_.batch_items, settings_.limits.batch_items_max}));
  const std::uint64_t bytes_max =
      std::min(settings_.batch_bytes.value, settings_.limits.frame_bytes_max.value / 2);
  Batch batch;
  const bool watch = waiting_.front().watch;
  while (!waiting_.empty() && batch.items.size() < items_max && waiting_.front().watch == watch) {
    const std::uint64_t bytes = bytes_of(waiting_.front().submission.spec);
    if (!batch.items.empty() && batch.bytes + bytes > bytes_max) break;
    batch.bytes += bytes;
    batch.items.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return batch;
}

void SubmitBook::send(RequestId request, Batch& batch, Time now, Actions& actions) const {
  ++batch.sends;
  batch.send_again = now + resend_wait(settings_.resend_after, batch.sends);
  Submit submit;
  submit.request = request;
  submit.watch = batch.items.front().watch;
  submit.tasks.reserve(batch.items.size());
  for (const Item& item : batch.items) {
    submit.tasks.push_back(SubmitItem{item.submission.spec, std::nullopt});
  }
  actions.sends.push_back(std::move(submit));
}

SubmitBook::Batch SubmitBook::take(Batches::iterator position) {
  Batch batch = std::move(position->second);
  in_flight_.erase(position);
  in_flight_tasks_ -= batch.items.size();
  in_flight_bytes_ -= batch.bytes;
  return batch;
}

void SubmitBook::put_back(std::vector<Item> items) {
  for (auto item = items.rbegin(); item != items.rend(); ++item) {
    item->sent_before = true;
    waiting_.push_front(std::move(*item));
  }
}

void SubmitBook::hold(Duration retry_after, Time now, Random& random) {
  const Duration wait = std::clamp(retry_after, Duration(), kHoldMax);
  const Duration jitter =
      full_jitter(settings_.backoff_initial, settings_.backoff_max, holds_in_a_row_, random);
  ++holds_in_a_row_;
  hold_until_ = std::max(hold_until_, now + wait + jitter);
}

bool SubmitBook::answer(const Submitted& submitted, Time now, Random& random, Actions& actions) {
  const auto position = in_flight_.find(submitted.request);
  if (position == in_flight_.end()) return false;
  // An answer of another length cannot be matched with its tasks: they are sent again in time.
  if (submitted.items.size() != position->second.items.size()) return true;
  Batch batch = take(position);
  std::vector<Item> again;
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    Item& item = batch.items[i];
    const SubmitAnswer& answer = submitted.items[i];
    if (may_be_retried(answer.status)) {
      again.push_back(std::move(item));
      continue;
    }
    const bool ours = item.sent_before || batch.sends > 1;
    const SubmitStatus status =
        answer.status == SubmitStatus::duplicate && ours ? SubmitStatus::accepted : answer.status;
    actions.events.push_back(
        SubmitResult{item.submission.group, item.submission.spec.id, status, answer.message});
  }
  if (again.empty()) {
    holds_in_a_row_ = 0;
  } else {
    put_back(std::move(again));
    hold(submitted.retry_after, now, random);
  }
  return true;
}

bool SubmitBook::refuse(const Refused& refused, Time now, Random& random, Actions& actions) {
  const auto position = in_flight_.find(refused.request);
  if (position == in_flight_.end()) return false;
  Batch batch = take(position);
  if (may_be_retried(refused.code)) {
    put_back(std::move(batch.items));
    if (refused.code != ErrorCode::unknown_session) hold(refused.retry_after, now, random);
    return true;
  }
  for (const Item& item : batch.items) {
    actions.events.push_back(SubmitResult{item.submission.group, item.submission.spec.id,
                                          status_of(refused.code), refused.message});
  }
  return true;
}

void SubmitBook::take_back_unanswered() {
  while (!in_flight_.empty()) {
    Batch batch = take(std::prev(in_flight_.end()));
    put_back(std::move(batch.items));
  }
}

void SubmitBook::give_up(Time now, Actions& actions) {
  if (now < next_give_up()) return;
  last_give_up_scan_ = now;
  earliest_give_up_ = Time::never();
  const auto tell = [&](const Item& item) {
    actions.events.push_back(SubmitUnanswered{item.submission.group, item.submission.spec.id});
  };
  std::deque<Item> kept;
  for (Item& item : waiting_) {
    if (item.submission.give_up <= now) {
      tell(item);
    } else {
      earliest_give_up_ = std::min(earliest_give_up_, item.submission.give_up);
      kept.push_back(std::move(item));
    }
  }
  waiting_ = std::move(kept);
  for (auto position = in_flight_.begin(); position != in_flight_.end();) {
    Time last;
    for (const Item& item : position->second.items) last = std::max(last, item.submission.give_up);
    const auto current = position++;
    if (last <= now) {
      for (const Item& item : take(current).items) tell(item);
    } else {
      earliest_give_up_ = std::min(earliest_give_up_, last);
    }
  }
}

void SubmitBook::abandon(SubmitGroup group) {
  const auto belongs = [&](const Item& item) { return item.submission.group == group; };
  waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), belongs), waiting_.end());
  for (auto position = in_flight_.begin(); position != in_flight_.end();) {
    const auto current = position++;
    const std::vector<Item>& items = current->second.items;
    if (std::all_of(items.begin(), items.end(), belongs)) take(current);
  }
}

Time SubmitBook::next_send() const {
  Time next = may_send() ? hold_until_ : Time::never();
  for (const auto& [request, batch] : in_flight_) {
    next = std::min(next, std::max(batch.send_again, hold_until_));
  }
  return next;
}

Time SubmitBook::next_give_up() const {
  if (earliest_give_up_ == Time::never()) return Time::never();
  return std::max(earliest_give_up_, last_give_up_scan_ + kGiveUpInterval);
}

}  // namespace millrace::client
