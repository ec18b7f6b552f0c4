// The broker's client socket, answering as the test says.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "common/wire/control_codec.h"

namespace millrace::broker {

class FakeRouter {
 public:
  // The replies to one request, in order; any number of them. Runs in the router's thread.
  using Replies = std::vector<wire::Frames>;
  using Answer = std::function<Replies(const ClientMessage&)>;

  // Binds `address` and serves until destroyed.
  FakeRouter(zmq::context_t& context, const std::string& address, Answer answer);
  ~FakeRouter();
  FakeRouter(const FakeRouter&) = delete;
  FakeRouter& operator=(const FakeRouter&) = delete;

  // Everything asked so far, in order.
  std::vector<ClientMessage> asked() const;
  // Ends once `count` requests have come. Nothing but the test's own time limit ends it earlier.
  void wait_for_requests(std::size_t count) const;

 private:
  void serve(zmq::socket_t socket, const Answer& answer);
  void answer_one(zmq::socket_t& socket, const wire::Frames& frames, const Answer& answer);

  mutable std::mutex mutex_;
  std::vector<ClientMessage> asked_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace millrace::broker
