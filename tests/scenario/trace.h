// One line of words for each effect of the core.
#pragma once

#include <string>
#include <vector>

#include "broker/core/effect.h"
#include "tests/scenario/names.h"
#include "tests/scenario/recorded_store.h"

namespace millrace::broker::test {

class Trace {
 public:
  // Times are shown since `start`. The store resolves what the outbox would read; it must have
  // taken the writes of the turn.
  Trace(const PeerNames& peers, const RecordedStore& store, Time start)
      : peers_(peers), store_(store), start_(start) {}

  // `before`: the totals of the turn before; only what changed is shown.
  std::vector<std::string> lines(const Effects& effects, const Totals& before);
  std::string describe(const TaskRecord& record) const;
  std::string at(Time time) const;

 private:
  void show(const PutTask& write);
  void show(const PutSpec& write);
  void show(const EraseSpec& write);
  void show(const PutResult& write);
  void show(const PutAttempt& write);
  void show(const EraseTask& write);
  void show(const EraseAttempts& write);
  void show(const PutQueue& write);
  void show(const PutTotals& write);

  void show(const ToClient& send);
  void show(const ToWorker& send);
  void show(const DispatchToWorker& send);
  void show(const FinishedToClient& send);
  void show(const TaskListToClient& send);
  void show(const ExplainedToClient& send);
  void show(const StatusToClient& send);
  void show(const GoodbyeToAll& send);

  std::string name_of(TaskSequence sequence) const;
  void line(std::string text) { lines_.push_back(std::move(text)); }

  const PeerNames& peers_;
  const RecordedStore& store_;
  Time start_;
  Totals before_;
  std::vector<std::string> lines_;
};

// Rounded to milliseconds, for people.
std::string in_milliseconds(Duration duration);

}  // namespace millrace::broker::test
