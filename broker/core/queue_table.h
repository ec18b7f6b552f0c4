// The queues by number and by name. A queue exists once a task, a worker or a pause has named it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "broker/core/pace.h"
#include "broker/core/ready_queue.h"

namespace millrace::broker {

using GroupIndex = Number<struct GroupIndexTag, std::uint32_t>;

struct Queue {
  QueueNumber number;
  std::string name;
  bool paused = false;
  ReadyQueue ready;  // pending
  TaskChain delayed;
  TaskChain dead;
  std::uint64_t in_progress = 0;
  Pace starts;                     // leases granted
  std::vector<GroupIndex> groups;  // worker groups that serve it, ascending

  // Has work that may be given out.
  bool is_active() const { return !paused && ready.size() > 0; }
};

class QueueTable {
 public:
  // None when there is no such queue.
  QueueNumber find(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? QueueNumber() : found->second;
  }
  QueueNumber add(const std::string& name) {
    const QueueNumber number(static_cast<std::uint32_t>(queues_.size() + 1));
    insert(number, name, false);
    return number;
  }
  // On restart: numbers may come in any order.
  void insert(QueueNumber number, const std::string& name, bool paused) {
    if (queues_.size() < number.value) queues_.resize(number.value);
    Queue& queue = queues_[number.value - 1];
    queue.number = number;
    queue.name = name;
    queue.paused = paused;
    by_name_[name] = number;
  }
  bool contains(QueueNumber number) const {
    return !number.is_none() && number.value <= queues_.size() &&
           !queues_[number.value - 1].number.is_none();
  }
  Queue& operator[](QueueNumber number) { return queues_[number.value - 1]; }
  const Queue& operator[](QueueNumber number) const { return queues_[number.value - 1]; }
  std::size_t size() const { return by_name_.size(); }
  // Name to number, in order of names.
  const std::map<std::string, QueueNumber>& by_name() const { return by_name_; }

 private:
  std::vector<Queue> queues_;
  std::map<std::string, QueueNumber> by_name_;
};

}  // namespace millrace::broker
