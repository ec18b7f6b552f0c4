// A broker that keeps tasks in memory and does as a test says: late, deaf, busy, gone and back.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/host/clock.h"
#include "common/wire/control_codec.h"
#include "common/wire/socket.h"

namespace millrace::client {

// What a restarted broker finds again.
struct BrokerMemory {
  struct Kept {
    TaskSpec spec;
  };
  std::mutex mutex;
  std::map<TaskId, Kept> tasks;
  std::uint64_t epoch = 0;
};

struct BrokerScript {
  // The answers to a message; nothing: as an ordinary broker. Called on the broker's thread.
  using Handler = std::function<std::optional<std::vector<ClientReply>>(const ClientMessage&)>;
  Handler handle;
  // How a task ends, at once when it is watched; nothing: it does not end yet.
  std::function<std::optional<FinishedTask>(const TaskSpec&)> end;
  std::uint16_t port = 0;  // 0: a free one
};

// Destroyed, it is gone without a word, as after kill -9.
class FakeBroker {
 public:
  FakeBroker(BrokerScript script, std::shared_ptr<BrokerMemory> memory);
  ~FakeBroker();
  FakeBroker(const FakeBroker&) = delete;
  FakeBroker& operator=(const FakeBroker&) = delete;

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  void run();
  void pulse();
  void take(const std::string& routing_id, const wire::Frames& frames);
  std::vector<ClientReply> answer(const ClientMessage& message);
  std::vector<ClientReply> take_submit(const Submit& submit);
  std::vector<ClientReply> take_watch(const Watch& watch);
  void end_watched(const std::vector<TaskId>& tasks, std::vector<ClientReply>& replies);

  BrokerScript script_;
  std::shared_ptr<BrokerMemory> memory_;
  host::Clock clock_;
  zmq::context_t context_ = wire::make_context();
  std::optional<zmq::socket_t> router_;
  std::optional<zmq::socket_t> publisher_;
  std::uint16_t port_ = 0;
  std::uint16_t pulse_port_ = 0;
  std::uint64_t epoch_ = 0;
  Time last_pulse_;
  std::uint64_t pulses_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// A task that succeeded with `result`.
FinishedTask succeeded(const TaskId& id, const std::string& result);
FinishedTask ended(const TaskId& id, TaskState state, Reason reason, const std::string& error);

}  // namespace millrace::client
