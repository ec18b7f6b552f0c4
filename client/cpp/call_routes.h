// Which call a session's event belongs to.
#pragma once

#include <unordered_map>
#include <vector>

#include "client/cpp/call_inbox.h"
#include "client/cpp/session_types.h"

namespace millrace::client {

// Not thread-safe: belongs to the connection's thread.
class CallRoutes {
 public:
  void add_group(SubmitGroup group, const CallInboxPointer& inbox);
  void add_request(RequestId request, const CallInboxPointer& inbox);
  void add_awaited(const TaskId& task, const CallInboxPointer& inbox);

  // Puts `event` into the inboxes that wait for it; an event that nobody waits for is dropped.
  void deliver(SessionEvent event);

  // What must be taken back from the session when the call of `inbox` ends.
  struct Open {
    std::vector<SubmitGroup> groups;
    std::vector<RequestId> requests;
    std::vector<TaskId> awaited;  // by no other call
  };
  Open remove(const CallInboxPointer& inbox);
  void close_all();

 private:
  void deliver_end(const TaskId& task, const SessionEvent& event);
  void stop_awaiting(const TaskId& task, const CallInboxPointer& inbox);

  std::unordered_map<SubmitGroup, CallInboxPointer> groups_;
  std::unordered_map<RequestId, CallInboxPointer> requests_;
  std::unordered_multimap<TaskId, CallInboxPointer> awaited_;
};

}  // namespace millrace::client
