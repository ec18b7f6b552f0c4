// The loop between the session, the sockets and the handlers' threads.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "common/host/clock.h"
#include "common/host/event_descriptor.h"
#include "worker/cpp/broker_connection.h"
#include "worker/cpp/handler_pool.h"
#include "worker/cpp/session.h"

namespace millrace::worker {

struct RunnerSettings {
  SessionSettings session;
  std::string broker;  // as it was named to us, for messages
  Duration drain_timeout;
  Duration connect_timeout;  // zero: for ever
  std::function<void(NoticeLevel, const std::string&)> notice;
  std::function<void(WorkerMessage&)> before_send;
  std::function<void(const CompletionAnswer&)> acknowledged;
};

// Not thread-safe but for request_stop.
class Runner {
 public:
  // `stop_requests` and `stop_event` come from any thread; the others outlive the Runner too.
  Runner(RunnerSettings settings, BrokerConnection& connection, HandlerPool& pool,
         const std::atomic<int>& stop_requests, host::EventDescriptor& stop_event, Random random);

  // Until drained, stopped or refused. Errors as of Worker::run.
  Status run();

 private:
  void collect(Time now);
  void obey_stop_requests(Time now);
  Status perform();
  Status follow(const Welcomed& welcomed);
  void send(WorkerMessage message);
  void end_handlers();
  void notice(NoticeLevel level, const std::string& text) const;
  void notice_end() const;

  RunnerSettings settings_;
  BrokerConnection& connection_;
  HandlerPool& pool_;
  const std::atomic<int>& stop_requests_;
  host::EventDescriptor& stop_event_;
  host::Clock clock_;
  Session session_;
  Actions actions_;
  Time drain_by_ = Time::never();
  Time connect_by_ = Time::never();
  bool connected_before_ = false;
  std::uint64_t broken_messages_ = 0;
};

}  // namespace millrace::worker
