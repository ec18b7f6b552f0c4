// Requests other than submits and watches, kept until answered. Each is safe to repeat. Pure.
#pragma once

#include <map>

#include "client/cpp/session_types.h"

namespace millrace::client {

class RequestBook {
 public:
  explicit RequestBook(const SessionSettings& settings) : settings_(settings) {}

  // `message` carries `request`. After `give_up` it is reported as RequestUnanswered.
  void add(RequestId request, ClientMessage message, Time give_up);
  void abandon(RequestId request) { open_.erase(request); }

  // True when `request` was open; it is closed then.
  bool close(RequestId request) { return open_.erase(request) > 0; }
  // True when the refusal was to one of these and it will be sent again.
  bool retry(const Refused& refused, Time now, Random& random);
  void send_all_again();

  void send_due(Time now, Actions& actions);
  void give_up(Time now, Actions& actions);
  Time next_send() const;
  Time next_give_up() const;
  bool empty() const { return open_.empty(); }

 private:
  struct Open {
    ClientMessage message;
    Time give_up;
    Time send_at;
    std::uint32_t sends = 0;
    std::uint32_t retries = 0;
  };

  SessionSettings settings_;
  std::map<RequestId, Open> open_;
};

}  // namespace millrace::client
