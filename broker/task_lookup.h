// Single tasks for HTTP, asked for as any client asks: one door for everything.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <zmq.hpp>

#include "broker/admin/task_reader.h"
#include "common/base/messages.h"
#include "common/host/clock.h"

namespace millrace::broker {

// Thread-safe: requests go one at a time over one connection. `timeout` covers the whole of a call,
// also its wait for the calls before it, so that a broker that stands still delays nobody longer.
class TaskLookup final : public TaskReader {
 public:
  // `address` is a client address of the broker, inproc or tcp; it need not be bound yet. `context`
  // must outlive the lookup. `routing_id`: see AccessKeeper::door_pass; empty without keys.
  TaskLookup(zmq::context_t& context, std::string address, Duration timeout = Duration::seconds(2),
             std::string routing_id = {});

  Result<TaskList> get(const GetTasks& request) override;
  Result<TaskList> list(const ListTasks& request) override;
  Result<Explained> explain(const TaskId& task) override;

 private:
  class Turn;
  template <class Answer, class Request>
  Result<Answer> ask(Request request);
  Status connect();
  bool send(const ClientMessage& message, Time deadline);
  template <class Answer>
  Result<Answer> await(RequestId request, Time deadline);
  bool wait_for(short event, Time deadline);

  zmq::context_t& context_;
  const std::string address_;
  const Duration timeout_;
  const std::string routing_id_;
  const host::Clock clock_;

  std::mutex mutex_;
  std::condition_variable turn_ended_;
  bool in_use_ = false;  // guarded by mutex_; whoever set it alone uses what follows
  std::optional<zmq::socket_t> socket_;
  RequestId last_request_;
};

}  // namespace millrace::broker
