// What the outside world knows of each task: what was asked, told, started and read. Kept by the
// oracle alone, from what passes between the nodes.
#pragma once

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/messages.h"

namespace millrace::simulation {

// One line of the execution ledger.
struct Start {
  Fence fence;
  WorkerId worker;
  Time decided;  // when the broker gave the lease
  Duration timeout;
  bool running = true;
  bool stopped = false;      // asked to stop: cancelled, timed out, given on
  bool handed_back = false;  // without effect: it costs no attempt
  std::optional<Outcome> reported;
  SharedBytes result;
  bool accepted = false;  // the report was answered so
  bool refused = false;
};

// An end as somebody read it.
struct Ending {
  TaskState state = TaskState::succeeded;
  std::optional<SharedBytes> result;
};

struct TaskFacts {
  std::uint32_t number = 0;  // from 1, for people
  TaskId id;
  std::vector<TaskSpec> contents;  // all that was submitted under this id; they differ in content
  std::optional<std::uint64_t> accepted_hash;  // told: this content is accepted
  bool cancel_asked = false;
  bool cancel_confirmed = false;
  bool requeue_asked = false;
  // Somebody wanted it forgotten. A submit on its way may then make it anew, from nothing: what is
  // known of it holds no more.
  bool purge_asked = false;
  std::uint32_t requeues = 0;
  std::optional<Ending> read;       // the first end that was read; not dead where requeued
  std::optional<Ending> read_dead;  // where requeue was asked for
  Time clock_seen;  // the latest that an earlier process of the broker showed while it had the task
  std::vector<std::pair<Fence, Time>> decided;
  std::vector<Start> starts;

  const TaskSpec& spec() const { return contents.front(); }
  std::string name() const { return "task " + std::to_string(number); }
  Start* find_start(Fence fence) {
    for (Start& start : starts) {
      if (start.fence == fence) return &start;
    }
    return nullptr;
  }
};

class TaskRegister {
 public:
  TaskFacts& add(const TaskId& id) {
    const auto [slot, is_new] = numbers_.try_emplace(id, all_.size());
    if (is_new) {
      all_.emplace_back();
      all_.back().number = static_cast<std::uint32_t>(all_.size());
      all_.back().id = id;
    }
    return all_[slot->second];
  }
  TaskFacts* find(const TaskId& id) {
    const auto found = numbers_.find(id);
    return found == numbers_.end() ? nullptr : &all_[found->second];
  }
  std::deque<TaskFacts>& all() { return all_; }
  void purge_queue(const std::string& queue) { purged_queues_.insert(queue); }
  bool is_purged(const std::string& queue) const { return purged_queues_.contains(queue); }

 private:
  std::deque<TaskFacts> all_;  // references stay valid
  std::set<std::string> purged_queues_;
  std::unordered_map<TaskId, std::size_t> numbers_;
};

}  // namespace millrace::simulation
