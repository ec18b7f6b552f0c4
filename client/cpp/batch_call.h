// One submit_many or wait_all: keeps the pipeline full, within bounds, and tells what comes back.
#pragma once

#include <vector>

#include "client/cpp/client.h"
#include "client/cpp/connection.h"
#include "common/base/flat_map.h"

namespace millrace::client {

// Lives on the caller's thread.
class BatchCall {
 public:
  // `check` is asked about every 100 ms; its error ends the call.
  BatchCall(Connection& connection, Random& random, const BatchCallbacks& callbacks,
            std::function<Status()> check);
  ~BatchCall();
  BatchCall(const BatchCall&) = delete;
  BatchCall& operator=(const BatchCall&) = delete;

  Status submit_all(const TaskSource& next);
  Status wait_for(const std::vector<TaskId>& tasks);

 private:
  // A task that is not done with.
  struct Open {
    std::uint32_t unanswered = 0;  // submits; two when the batch names an id twice
    bool awaited = false;
    std::uint64_t bytes = 0;
  };

  // Waits for events and takes them.
  Status turn(Duration wait);
  SourceState fill(const TaskSource& next);
  void add(Task task, std::vector<Submission>& submissions);
  void take(const SessionEvent& event);
  void take_answer(const TaskId& id, const Result<SubmitStatus>& answer);
  void close(const TaskId& id, bool answered, bool ended);
  bool has_room() const;

  Connection& connection_;
  Random& random_;
  const BatchCallbacks& callbacks_;
  std::function<Status()> check_;
  PeerLimits limits_;
  SubmitGroup group_;
  CallInboxPointer inbox_ = std::make_shared<CallInbox>();
  FlatMap<TaskId, Open> open_;  // never iterated
  std::size_t unanswered_ = 0;
  std::uint64_t unanswered_bytes_ = 0;
};

// The Result for a caller of one SubmitStatus.
Result<SubmitStatus> to_result(SubmitStatus status, const std::string& message);

}  // namespace millrace::client
