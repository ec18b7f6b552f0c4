// A session with a hand on its clock and a script for its broker.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "client/cpp/session.h"

namespace millrace::client {

inline constexpr Duration kSecond = Duration::seconds(1);

inline TaskId task_id(std::uint8_t number) {
  TaskId id;
  id.bytes[0] = 1;
  id.bytes[15] = number;
  return id;
}

class SessionFixture : public ::testing::Test {
 protected:
  SessionFixture() : SessionFixture(test_settings()) {}
  explicit SessionFixture(const SessionSettings& settings) : session(settings) {}

  static SessionSettings test_settings() {
    SessionSettings settings;
    settings.client.bytes[0] = 7;
    settings.random_seed = 42;
    return settings;
  }

  // Each input replaces what the one before asked for.
  void start() {
    actions.clear();
    session.start(now, actions);
    remember_hello();
  }
  void tick() {
    actions.clear();
    session.tick(now, actions);
    remember_hello();
  }
  void receive(ClientReply reply) {
    actions.clear();
    session.receive(std::move(reply), now, actions);
    remember_hello();
  }
  void pulse(std::uint64_t epoch) {
    actions.clear();
    Pulse heard;
    heard.epoch = Epoch(epoch);
    session.hear_pulse(heard, now, actions);
    remember_hello();
  }
  void submit(const std::vector<std::uint8_t>& numbers, bool watch = false,
              std::size_t payload_bytes = 10, Time give_up = Time::never()) {
    actions.clear();
    std::vector<Submission> submissions;
    for (const std::uint8_t number : numbers) {
      TaskSpec spec;
      spec.id = task_id(number);
      spec.queue = "q";
      spec.bytes = SharedBytes::adopt(std::vector<std::uint8_t>(payload_bytes));
      submissions.push_back(Submission{std::move(spec), SubmitGroup(1), give_up});
    }
    session.submit(std::move(submissions), watch, now, actions);
  }
  void watch(const std::vector<TaskId>& tasks) {
    actions.clear();
    session.watch(tasks, now, actions);
  }
  // Ticks at every deadline until `end`, gathering what is asked for on the way.
  void run_until(Time end) {
    Actions gathered;
    while (session.next_deadline() <= end) {
      now = std::max(now, session.next_deadline());
      session.tick(now, gathered);
      ASSERT_GT(session.next_deadline(), now) << "a tick leaves nothing due";
    }
    now = end;
    actions = std::move(gathered);
    remember_hello();
  }

  void welcome(std::uint64_t epoch = 1, const PeerLimits& limits = PeerLimits()) {
    ClientWelcome message;
    message.request = hello;
    message.epoch = Epoch(epoch);
    message.limits = limits;
    receive(message);
  }
  void connect() {
    start();
    welcome();
  }
  void answer(const Submit& submit, SubmitStatus status, Duration retry_after = Duration()) {
    Submitted submitted;
    submitted.request = submit.request;
    submitted.items.assign(submit.tasks.size(), SubmitAnswer{status, ""});
    submitted.retry_after = retry_after;
    receive(submitted);
  }
  void refuse(RequestId request, ErrorCode code, Duration retry_after = Duration()) {
    receive(Refused{request, code, "no", retry_after});
  }
  void finish(std::uint8_t number) {
    FinishedTask task;
    task.id = task_id(number);
    receive(Finished{{task}});
  }

  template <class Message>
  std::vector<Message> sent() const {
    std::vector<Message> messages;
    for (const ClientMessage& message : actions.sends) {
      if (const auto* match = std::get_if<Message>(&message)) messages.push_back(*match);
    }
    return messages;
  }
  template <class Message>
  Message last_sent() const {
    const std::vector<Message> messages = sent<Message>();
    EXPECT_FALSE(messages.empty()) << "nothing of this kind was sent";
    return messages.empty() ? Message() : messages.back();
  }
  template <class Event>
  std::vector<Event> told() const {
    std::vector<Event> events;
    for (const SessionEvent& event : actions.events) {
      if (const auto* match = std::get_if<Event>(&event)) events.push_back(*match);
    }
    return events;
  }

  void remember_hello() {
    for (const ClientHello& message : sent<ClientHello>()) hello = message.request;
  }

  Session session;
  Actions actions;
  RequestId hello;  // of the newest ClientHello
  Time now = Time::since_epoch(Duration::hours(1));
};

inline std::vector<TaskId> ids_of(const Submit& submit) {
  std::vector<TaskId> ids;
  for (const SubmitItem& item : submit.tasks) ids.push_back(item.spec.id);
  return ids;
}

}  // namespace millrace::client
