// Which call a session's event belongs to.
#pragma once

#include <map>
#include <vector>

#include "client/cpp/call_inbox.h"
#include "client/cpp/session_types.h"
#include "common/base/flat_map.h"

namespace millrace::client {

// Not thread-safe: belongs to the connection's thread.
class CallRoutes {
 public:
  void add_group(SubmitGroup group, const EventSinkPointer& inbox);
  void add_request(RequestId request, const EventSinkPointer& inbox);
  void add_awaited(const TaskId& task, const EventSinkPointer& inbox);

  // Sorts `event` to the inboxes that wait for it; an event that nobody waits for is dropped. The
  // inboxes get it with `flush`.
  void deliver(SessionEvent event);
  // Puts what was sorted since the last time into the inboxes, each once.
  void flush();

  // What must be taken back from the session when the call of `inbox` ends.
  struct Open {
    std::vector<SubmitGroup> groups;
    std::vector<RequestId> requests;
    std::vector<TaskId> awaited;  // by no other call
  };
  Open remove(const EventSinkPointer& inbox);
  void close_all();

 private:
  void deliver_end(const TaskId& task, SessionEvent event);
  void sort_to(const EventSinkPointer& inbox, SessionEvent event);
  void stop_awaiting(const TaskId& task, const EventSinkPointer& inbox);

  struct Sorted {
    EventSinkPointer inbox;
    std::vector<SessionEvent> events;
  };
  std::map<SubmitGroup, EventSinkPointer> groups_;
  std::map<RequestId, EventSinkPointer> requests_;
  FlatMap<TaskId, EventSinkPointer> awaited_;                // the first call that waits for a task
  std::multimap<TaskId, EventSinkPointer> awaited_as_well_;  // and further ones
  std::vector<Sorted> sorted_;                               // calls that have events; few
};

}  // namespace millrace::client
