// What a store would hold after a core's writes, as plain maps: feeds restarts, and tells when the
// writes contradict each other.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/core/broker_core.h"

namespace millrace::broker::test {

class RecordedStore {
 public:
  void apply(const std::vector<Write>& writes);

  // Gives a fresh core everything, as a start of the broker does.
  void restore(BrokerCore& core, Time now) const;

  // The first contradiction in words, or nothing: parts without a task, a task whose record names
  // parts that are not there.
  std::optional<std::string> contradiction() const;

  const std::map<TaskSequence, TaskRecord>& tasks() const { return tasks_; }
  const TaskRecord* find(const TaskId& id) const;
  const TaskRecord* find(TaskSequence sequence) const;
  // The id that a sequence has or had; nil when it was never written.
  TaskId id_of(TaskSequence sequence) const;
  bool has_spec(TaskSequence sequence) const { return specs_.contains(sequence); }
  // Nothing where there is none.
  std::optional<SharedBytes> result(TaskSequence sequence) const;
  std::optional<AttemptRecord> attempt(TaskSequence sequence, std::uint16_t number) const;
  const Totals& totals() const { return totals_; }
  const std::map<QueueNumber, PutQueue>& queues() const { return queues_; }

 private:
  void take(const PutTask& write);
  void take(const PutSpec& write);
  void take(const EraseSpec& write);
  void take(const PutResult& write);
  void take(const PutAttempt& write);
  void take(const EraseTask& write);
  void take(const EraseAttempts& write);
  void take(const PutQueue& write);
  void take(const PutTotals& write);

  std::map<TaskSequence, TaskRecord> tasks_;
  std::map<TaskId, TaskSequence> by_id_;
  std::map<TaskSequence, TaskId> ever_;
  std::map<TaskSequence, SharedBytes> specs_;
  std::map<TaskSequence, SharedBytes> results_;
  std::map<std::pair<TaskSequence, std::uint16_t>, AttemptRecord> attempts_;
  std::map<QueueNumber, PutQueue> queues_;
  Totals totals_;
};

}  // namespace millrace::broker::test
