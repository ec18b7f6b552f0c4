// A TaskReader that answers as told and remembers what it was asked.
#pragma once

#include <mutex>
#include <vector>

#include "broker/admin/task_reader.h"

namespace millrace::broker {

class FakeTaskReader : public TaskReader {
 public:
  Result<TaskList> answer = TaskList{};  // set before the requests
  Result<Explained> explained = Explained{};

  Result<TaskList> get(const GetTasks& request) override {
    const std::lock_guard lock(mutex_);
    gets_.push_back(request);
    return answer;
  }
  Result<TaskList> list(const ListTasks& request) override {
    const std::lock_guard lock(mutex_);
    lists_.push_back(request);
    return answer;
  }
  Result<Explained> explain(const TaskId& task) override {
    const std::lock_guard lock(mutex_);
    explains_.push_back(task);
    return explained;
  }
  std::vector<TaskId> explains() const {
    const std::lock_guard lock(mutex_);
    return explains_;
  }
  std::vector<GetTasks> gets() const {
    const std::lock_guard lock(mutex_);
    return gets_;
  }
  std::vector<ListTasks> lists() const {
    const std::lock_guard lock(mutex_);
    return lists_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<GetTasks> gets_;
  std::vector<ListTasks> lists_;
  std::vector<TaskId> explains_;
};

}  // namespace millrace::broker
