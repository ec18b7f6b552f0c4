// The submits that nobody waits for: each has a callback for its answer.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "client/cpp/call_inbox.h"
#include "client/cpp/client.h"

namespace millrace::client {

// Thread-safe. Callbacks run on the thread that calls put() or close(), without a lock held.
class LaterSubmits final : public EventSink {
 public:
  // `unanswered` becomes the answer to what was not answered in time.
  explicit LaterSubmits(std::function<Error()> unanswered) : unanswered_(std::move(unanswered)) {}

  void add(const TaskId& id, Client::SubmitCallback on_answer);

  void put(std::vector<SessionEvent>& events) override;
  void close() override;

 private:
  void answer(const TaskId& id, const Result<SubmitStatus>& result);

  std::function<Error()> unanswered_;
  std::mutex mutex_;
  std::multimap<TaskId, Client::SubmitCallback> waiting_;  // an id may be submitted twice at once
};

}  // namespace millrace::client
