// A TaskDoor that answers as told and remembers what it was asked, and a connection made of text.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "broker/admin/http_message.h"
#include "broker/admin/task_door.h"

namespace millrace::broker {

class FakeTaskDoor : public TaskDoor {
 public:
  // Set before the requests.
  PeerLimits peer_limits;
  std::vector<Result<SubmitStatus>> submit_answers;  // empty: all accepted
  Result<TaskView> view = TaskView{};
  Result<CancelAnswer> cancel_answer = CancelAnswer{};
  Result<TasksChanged> change_answer = TasksChanged{};
  Result<std::optional<DispatchedTask>> lease_answer = std::optional<DispatchedTask>();
  Result<LeaseState> heartbeat_answer = LeaseState::held;
  Result<LeaseState> finish_answer = LeaseState::accepted;
  std::function<void()> during_get = [] {};

  // What was asked.
  std::vector<wire::TaskDescription> submitted;
  std::vector<std::pair<std::string, QueueAction>> controls;
  std::vector<std::string> drained;
  std::vector<TaskId> requeued;
  std::vector<ChangeTasks> changes;
  std::vector<LeaseRequest> leases;
  std::vector<LeaseUpdate> updates;
  std::vector<Completion> completions;
  std::vector<HeldLease> handed_back;
  std::vector<Duration> waits;

  PeerLimits limits() override { return peer_limits; }
  std::vector<Result<SubmitStatus>> submit(
      const std::vector<wire::TaskDescription>& tasks) override {
    submitted.insert(submitted.end(), tasks.begin(), tasks.end());
    if (!submit_answers.empty()) return submit_answers;
    return {tasks.size(), SubmitStatus::accepted};
  }
  TaskId draw_id() override {
    TaskId id;
    id.bytes[15] = ++drawn_;
    return id;
  }
  Result<TaskView> get(const TaskId&, Duration wait, const Abandoned&) override {
    during_get();
    waits.push_back(wait);
    return view;
  }
  Result<CancelAnswer> cancel(const TaskId&) override { return cancel_answer; }
  Result<std::uint64_t> control_queue(const std::string& queue, QueueAction action) override {
    controls.emplace_back(queue, action);
    return change_answer ? Result<std::uint64_t>(change_answer->count) : change_answer.error();
  }
  Result<std::uint64_t> drain_worker(const std::string& worker) override {
    drained.push_back(worker);
    return change_answer ? Result<std::uint64_t>(change_answer->count) : change_answer.error();
  }
  Result<std::uint64_t> requeue(const TaskId& task) override {
    requeued.push_back(task);
    return change_answer ? Result<std::uint64_t>(change_answer->count) : change_answer.error();
  }
  Result<TasksChanged> change_tasks(const ChangeTasks& change) override {
    changes.push_back(change);
    return change_answer;
  }
  Result<std::optional<DispatchedTask>> lease(const LeaseRequest& request,
                                              const Abandoned&) override {
    leases.push_back(request);
    return lease_answer;
  }
  Result<LeaseState> heartbeat(const HeldLease&, const LeaseUpdate& update) override {
    updates.push_back(update);
    return heartbeat_answer;
  }
  Result<LeaseState> finish(Completion completion) override {
    completions.push_back(std::move(completion));
    return finish_answer;
  }
  void hand_back(const HeldLease& lease) override { handed_back.push_back(lease); }
  void close() override {}

 private:
  std::uint8_t drawn_ = 0;
};

class TextConnection : public HttpConnection {
 public:
  std::string body;
  bool late = false;  // the body does not come
  bool peer_gone = false;
  bool any_length = false;  // whatever the head says
  int reads = 0;

  Result<std::string> read_body(std::uint64_t bytes) override {
    ++reads;
    if (late || (bytes != body.size() && !any_length)) return Error{ErrorCode::unavailable, "late"};
    return body;
  }
  bool gone() override { return peer_gone; }
};

}  // namespace millrace::broker
