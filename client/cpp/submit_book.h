// The tasks on their way to the broker: waiting, sent and not answered, or to be sent again. Pure.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "client/cpp/session_types.h"

namespace millrace::client {

class SubmitBook {
 public:
  explicit SubmitBook(const SessionSettings& settings) : settings_(settings) {}

  void add(Submission submission, bool watch);
  void set_limits(const PeerLimits& limits) { settings_.limits = limits; }

  // Sends what is unanswered for too long, then as much of what waits as the bounds allow.
  void send_due(Time now, RequestCounter& requests, Actions& actions);

  // Takes the answer when it is to a Submit of this book; false otherwise. The ids that came to a
  // final answer are told as events.
  bool answer(const Submitted& submitted, Time now, Random& random, Actions& actions);
  // The broker refused a whole Submit. busy, store_full, shutting_down and unknown_session: its
  // tasks wait and are sent again.
  bool refuse(const Refused& refused, Time now, Random& random, Actions& actions);

  // The connection is new: whatever is unanswered waits again, in its old order, ahead of the rest.
  void take_back_unanswered();
  // Reports and forgets tasks whose time is up. In a batch under way, when all are.
  void give_up(Time now, Actions& actions);
  void abandon(SubmitGroup group);

  // When send_due has something to do, given that there is a connection.
  Time next_send() const;
  // When give_up has something to do.
  Time next_give_up() const;

  bool empty() const { return waiting_.empty() && in_flight_.empty(); }
  std::size_t size() const { return waiting_.size() + in_flight_tasks_; }

 private:
  struct Item {
    Submission submission;
    bool watch = false;
    bool sent_before = false;
  };
  struct Batch {
    std::vector<Item> items;
    std::uint64_t bytes = 0;
    std::uint32_t sends = 0;
    Time send_again;
  };
  using Batches = std::map<RequestId, Batch>;

  bool may_send() const;
  Batch cut_batch();
  void send(RequestId request, Batch& batch, Time now, Actions& actions) const;
  Batch take(Batches::iterator position);
  void put_back(std::vector<Item> items);
  void hold(Duration retry_after, Time now, Random& random);

  SessionSettings settings_;
  std::deque<Item> waiting_;
  Batches in_flight_;
  std::size_t in_flight_tasks_ = 0;
  std::uint64_t in_flight_bytes_ = 0;
  Time hold_until_;  // the broker asked for a pause
  std::uint32_t holds_in_a_row_ = 0;
  Time earliest_give_up_ = Time::never();
  Time last_give_up_scan_;
};

}  // namespace millrace::client
