// Single tasks for HTTP, asked for as any client asks: one door for everything.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <zmq.hpp>

#include "broker/admin/task_reader.h"
#include "common/base/messages.h"

namespace millrace::broker {

// Thread-safe: requests go one at a time over one connection.
class TaskLookup final : public TaskReader {
 public:
  // `address` is a client address of the broker, inproc or tcp; it need not be bound yet. `context`
  // must outlive the lookup.
  TaskLookup(zmq::context_t& context, std::string address, Duration timeout = Duration::seconds(2));

  Result<TaskList> get(const GetTasks& request) override;
  Result<TaskList> list(const ListTasks& request) override;

 private:
  Result<TaskList> ask(ClientMessage message, RequestId request);
  Result<TaskList> await(RequestId request);
  Status connect();

  zmq::context_t& context_;
  const std::string address_;
  const Duration timeout_;
  std::mutex mutex_;  // guards what follows
  std::optional<zmq::socket_t> socket_;
  RequestId last_request_;
};

}  // namespace millrace::broker
