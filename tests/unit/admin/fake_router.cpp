#include "tests/unit/admin/fake_router.h"

#include <chrono>
#include <utility>

#include "common/base/check.h"
#include "common/wire/socket.h"

namespace millrace::broker {

FakeRouter::FakeRouter(zmq::context_t& context, const std::string& address, Answer answer) {
  Result<zmq::socket_t> bound = wire::bind_router(context, address, {});
  MILLRACE_CHECK(bound.ok(), "the test's address is free");
  thread_ = std::thread([this, socket = std::move(*bound), answer = std::move(answer)]() mutable {
    serve(std::move(socket), answer);
  });
}

FakeRouter::~FakeRouter() {
  stopping_ = true;
  thread_.join();
}

std::vector<ClientMessage> FakeRouter::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

void FakeRouter::wait_for_requests(std::size_t count) const {
  while (asked().size() < count) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void FakeRouter::serve(zmq::socket_t socket, const Answer& answer) {
  wire::Frames frames;
  while (!stopping_) {
    zmq::pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
    wire::poll_items(&item, 1, Duration::milliseconds(10));
    while (wire::receive_frames(socket, frames) == wire::ReceiveStatus::received) {
      answer_one(socket, frames, answer);
    }
  }
}

void FakeRouter::answer_one(zmq::socket_t& socket, const wire::Frames& frames,
                            const Answer& answer) {
  const std::string peer(frames.front().text());
  const Result<ClientMessage> message =
      wire::decode_client_message(wire::Frames(frames.begin() + 1, frames.end()), PeerLimits());
  MILLRACE_CHECK(message.ok(), "the lookup sends what the protocol allows");
  for (const wire::Frames& reply : answer(*message)) wire::send_frames_to(socket, peer, reply);
  const std::lock_guard lock(mutex_);
  asked_.push_back(*message);
}

}  // namespace millrace::broker
