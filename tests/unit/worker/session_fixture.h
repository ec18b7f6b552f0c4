// A session and the broker's half of the talk with it, step by step and without a clock.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "worker/cpp/session.h"

namespace millrace::worker {

class SessionTest : public testing::Test {
 protected:
  static constexpr Duration kMillisecond = Duration::milliseconds(1);
  static constexpr Duration kSecond = Duration::seconds(1);

  explicit SessionTest(std::uint32_t slots = 2) : session_(settings_for(slots), Random(7)) {}

  static SessionSettings settings_for(std::uint32_t slots) {
    SessionSettings settings;
    settings.worker.bytes[0] = 9;
    settings.name = "bench-3";
    settings.queues = {"mail", "video"};
    settings.slots = slots;
    settings.version = "0.1.0";
    return settings;
  }

  static HeldLease lease(std::uint8_t task, std::uint64_t fence = 1) {
    HeldLease held;
    held.task.bytes[15] = task;
    held.fence = Fence(fence);
    return held;
  }

  static DispatchedTask task(std::uint8_t id, Duration timeout = Duration::minutes(5),
                             std::uint64_t fence = 1) {
    DispatchedTask dispatched;
    dispatched.task = lease(id).task;
    dispatched.fence = Fence(fence);
    dispatched.timeout = timeout;
    dispatched.queue = "mail";
    return dispatched;
  }

  // ---- inputs; each leaves its actions in actions_ --------------------------------------------

  void pass(Duration duration) { now_ = now_ + duration; }
  void receive(const WorkerReply& reply) {
    actions_.clear();
    session_.receive(reply, now_, actions_);
  }
  void tick() {
    actions_.clear();
    session_.tick(now_, actions_);
  }
  void pulse(std::uint64_t epoch) {
    actions_.clear();
    session_.hear_pulse(Pulse{Epoch(epoch), ++pulses_, now_, false}, now_, actions_);
  }
  void finish(const HeldLease& held, Duration elapsed = kSecond,
              Outcome outcome = Outcome::succeeded, const std::string& text = "done") {
    Completion completion;
    completion.task = held.task;
    completion.fence = held.fence;
    completion.outcome = outcome;
    completion.elapsed = elapsed;
    (outcome == Outcome::succeeded ? void(completion.result = SharedBytes::copy_of(text))
                                   : void(completion.error = text));
    actions_.clear();
    session_.finish(completion, now_, actions_);
  }
  void dispatch(std::vector<DispatchedTask> tasks) { receive(Dispatch{std::move(tasks)}); }
  void stop(const HeldLease& held, StopCause cause) {
    receive(StopTasks{{StoppedTask{held.task, held.fence, cause}}});
  }
  void acknowledge(const HeldLease& held, bool accepted = true) {
    receive(Completed{{CompletionAnswer{held.task, held.fence, accepted}}});
  }

  WorkerWelcome welcome(std::uint64_t hello_number, std::uint64_t epoch = 1) const {
    WorkerWelcome message;
    message.hello_number = hello_number;
    message.session = SessionNonce(4'000 + hello_number);
    message.epoch = Epoch(epoch);
    message.endpoints.beat_port = 5557;
    message.endpoints.pulse_port = 5558;
    return message;
  }
  // Says hello and is welcomed.
  void open() {
    tick();
    const auto hellos = sent<WorkerHello>();
    ASSERT_EQ(hellos.size(), 1U);
    receive(welcome(hellos[0].hello_number));
    ASSERT_TRUE(session_.open());
    Actions ignored;
    session_.tick(now_, ignored);  // the first beat
  }

  // ---- what was done --------------------------------------------------------------------------

  template <class Message>
  std::vector<Message> sent() const {
    std::vector<Message> messages;
    for (const WorkerMessage& message : actions_.sends) {
      if (const auto* found = std::get_if<Message>(&message)) messages.push_back(*found);
    }
    return messages;
  }
  // Ticks and returns the completions it sends, of all Completes together.
  std::vector<Completion> completions() {
    tick();
    std::vector<Completion> all;
    for (const Complete& complete : sent<Complete>()) {
      all.insert(all.end(), complete.items.begin(), complete.items.end());
    }
    return all;
  }
  std::vector<HeldLease> started() const {
    std::vector<HeldLease> leases;
    for (const DispatchedTask& start : actions_.starts) {
      leases.push_back(HeldLease{start.task, start.fence});
    }
    return leases;
  }

  Time now_ = Time::since_epoch(Duration::days(20'000));
  Session session_;
  Actions actions_;
  std::uint64_t pulses_ = 0;
};

}  // namespace millrace::worker
