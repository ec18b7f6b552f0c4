// A broker whose every word the test speaks itself, on real sockets.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/wire/control_codec.h"
#include "common/wire/heartbeat_codec.h"
#include "common/wire/socket.h"

namespace millrace::worker {

// For one thread. What does not come within a minute fails the test.
class FakeBroker {
 public:
  FakeBroker() : context_(wire::make_context()) {
    bind("tcp://127.0.0.1:*");
    auto beats = wire::bind_subscriber(context_, "tcp://127.0.0.1:*", {});
    auto pulses = wire::bind_publisher(context_, "tcp://127.0.0.1:*", {});
    beats_ = *std::move(beats);
    pulses_ = *std::move(pulses);
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // Cuts every connection and forgets the peers, as a crash does; the port stays the same.
  void crash_and_restart() {
    router_ = zmq::socket_t();
    for (int i = 0; i < 1'000 && !router_; ++i) bind("tcp://" + address());
    ++epoch_;
  }

  // The next message of this kind; others before it are dropped (but see expect_next).
  template <class Message>
  Message expect() {
    return take<Message>(/*skip_others=*/true);
  }
  // The next message must be of this kind.
  template <class Message>
  Message expect_next() {
    return take<Message>(/*skip_others=*/false);
  }
  Beat expect_beat() {
    wire::Frames frames;
    if (!wait_for_frames(beats_, frames)) return Beat();
    const auto beat = wire::decode_beat(frames.at(0));
    EXPECT_TRUE(beat);
    return beat ? *beat : Beat();
  }

  void send(const WorkerReply& reply) { send_frames(wire::encode(reply)); }
  void send_frames(const wire::Frames& frames) {
    EXPECT_EQ(wire::send_frames_to(router_, peer_, frames), wire::SendStatus::sent);
  }

  // Waits for a Hello and welcomes it.
  WorkerHello welcome() {
    const auto hello = expect<WorkerHello>();
    WorkerWelcome reply;
    reply.hello_number = hello.hello_number;
    reply.session = SessionNonce(77);
    reply.epoch = Epoch(epoch_);
    reply.endpoints.worker_port = port_;
    reply.endpoints.beat_port = wire::port_of(beats_);
    reply.endpoints.pulse_port = wire::port_of(pulses_);
    reply.liveness.beat_interval = Duration::milliseconds(50);
    reply.liveness.silence_max = silence_max_;
    reply.broker_version = "fake";
    send(reply);
    return hello;
  }
  // Waits until `count` completions have come in any number of messages, and acknowledges each.
  std::vector<Completion> expect_completions(std::size_t count) {
    std::vector<Completion> completions;
    while (completions.size() < count && !testing::Test::HasFailure()) {
      Completed answer;
      for (Completion& item : expect<Complete>().items) {
        answer.items.push_back(CompletionAnswer{item.task, item.fence, true});
        completions.push_back(std::move(item));
      }
      if (!answer.items.empty()) send(answer);
    }
    completions.resize(count);
    return completions;
  }

  Duration silence_max_ = Duration::minutes(10);

 private:
  void bind(const std::string& address) {
    auto router = wire::bind_router(context_, address, {});
    if (!router) return;
    router_ = *std::move(router);
    port_ = wire::port_of(router_);
  }

  static bool wait_for_frames(zmq::socket_t& socket, wire::Frames& frames) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (std::chrono::steady_clock::now() < deadline) {
      zmq::pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
      wire::poll_items(&item, 1, Duration::milliseconds(100));
      if (wire::receive_frames(socket, frames) == wire::ReceiveStatus::received) return true;
    }
    ADD_FAILURE() << "nothing came";
    return false;
  }

  template <class Message>
  Message take(bool skip_others) {
    wire::Frames frames;
    while (wait_for_frames(router_, frames)) {
      peer_ = std::string(frames.at(0).text());
      frames.erase(frames.begin());
      const auto message = wire::decode_worker_message(frames, PeerLimits());
      EXPECT_TRUE(message) << message.error().message;
      if (!message) break;
      if (const auto* found = std::get_if<Message>(&*message)) return *found;
      if (!skip_others) {
        ADD_FAILURE() << "another message came: kind " << message->index();
        break;
      }
    }
    return Message();
  }

  zmq::context_t context_;
  zmq::socket_t router_;
  zmq::socket_t beats_;
  zmq::socket_t pulses_;
  std::uint16_t port_ = 0;
  std::uint64_t epoch_ = 1;
  std::string peer_;
};

}  // namespace millrace::worker
