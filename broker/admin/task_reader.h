// How HTTP asks for single tasks: as an ordinary client would, so that there is one door for
// everything that is not in the status snapshot.
#pragma once

#include "common/base/messages.h"

namespace millrace::broker {

// All calls may come from several threads at once and block until the answer is there or a timeout
// of the implementation has passed. The implementation chooses the request id; the caller's is
// ignored. Errors: unavailable when no answer came in time; otherwise what the broker refused with.
class TaskReader {
 public:
  virtual ~TaskReader() = default;
  virtual Result<TaskList> get(const GetTasks& request) = 0;
  virtual Result<TaskList> list(const ListTasks& request) = 0;
  virtual Result<Explained> explain(const TaskId& task) = 0;
};

}  // namespace millrace::broker
