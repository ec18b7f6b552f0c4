#include "tests/scenario/recorded_store.h"

namespace millrace::broker::test {
namespace {

std::string number_of(TaskSequence sequence) {
  return "task #" + std::to_string(sequence.value);
}

}  // namespace

void RecordedStore::apply(const std::vector<Write>& writes) {
  for (const Write& write : writes) {
    std::visit([this](const auto& typed) { take(typed); }, write);
  }
}

void RecordedStore::take(const PutTask& write) {
  tasks_[write.record.sequence] = write.record;
  by_id_[write.record.id] = write.record.sequence;
  ever_[write.record.sequence] = write.record.id;
}

void RecordedStore::take(const PutSpec& write) {
  specs_[write.sequence] = write.bytes;
}

void RecordedStore::take(const EraseSpec& write) {
  specs_.erase(write.sequence);
}

void RecordedStore::take(const PutResult& write) {
  results_[write.sequence] = write.bytes;
}

void RecordedStore::take(const PutAttempt& write) {
  attempts_[{write.sequence, write.number}] = write.record;
}

// Erases exactly what the write names, so that a wrong flag leaves something behind to be found.
void RecordedStore::take(const EraseTask& write) {
  const auto found = tasks_.find(write.sequence);
  if (found != tasks_.end()) {
    by_id_.erase(found->second.id);
    tasks_.erase(found);
  }
  if (write.has_spec) specs_.erase(write.sequence);
  if (write.has_result) results_.erase(write.sequence);
  take(EraseAttempts{write.sequence, write.attempt_records});
}

void RecordedStore::take(const EraseAttempts& write) {
  for (std::uint16_t number = 1; number <= write.attempt_records; ++number) {
    attempts_.erase({write.sequence, number});
  }
}

void RecordedStore::take(const PutQueue& write) {
  queues_[write.queue] = write;
}

void RecordedStore::take(const PutTotals& write) {
  totals_ = write.totals;
}

void RecordedStore::restore(BrokerCore& core, Time now) const {
  core.restore_totals(totals_);
  for (const auto& [number, queue] : queues_) core.restore_queue(number, queue.name, queue.paused);
  for (const auto& [sequence, record] : tasks_) core.restore_task(record, now);
}

const TaskRecord* RecordedStore::find(const TaskId& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : find(found->second);
}

const TaskRecord* RecordedStore::find(TaskSequence sequence) const {
  const auto found = tasks_.find(sequence);
  return found == tasks_.end() ? nullptr : &found->second;
}

TaskId RecordedStore::id_of(TaskSequence sequence) const {
  const auto found = ever_.find(sequence);
  return found == ever_.end() ? TaskId() : found->second;
}

std::optional<SharedBytes> RecordedStore::result(TaskSequence sequence) const {
  const auto found = results_.find(sequence);
  if (found == results_.end()) return std::nullopt;
  return found->second;
}

std::optional<AttemptRecord> RecordedStore::attempt(TaskSequence sequence,
                                                    std::uint16_t number) const {
  const auto found = attempts_.find({sequence, number});
  if (found == attempts_.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string> RecordedStore::contradiction() const {
  std::size_t specs = 0;
  std::size_t results = 0;
  std::size_t attempts = 0;
  for (const auto& [sequence, record] : tasks_) {
    const std::string name = number_of(sequence);
    if (!queues_.contains(record.queue)) return name + " names a queue that was never written";
    if (has_spec(sequence) != (record.spec_stored)) {
      return name + " and its stored spec disagree";
    }
    if (results_.contains(sequence) != (record.result_bytes.value > 0)) {
      return name + " and its stored result disagree";
    }
    if (sequence.value > totals_.last_sequence) return name + " is past the last sequence written";
    for (std::uint16_t number = 1; number <= record.attempt_records; ++number) {
      if (!attempt(sequence, number).has_value()) return name + " misses an attempt record";
    }
    specs += record.spec_stored ? 1 : 0;
    results += record.result_bytes.value > 0 ? 1 : 0;
    attempts += record.attempt_records;
  }
  if (by_id_.size() != tasks_.size()) return "two tasks were written under one id";
  if (specs_.size() != specs) return "a spec outlives its task";
  if (results_.size() != results) return "a result outlives its task";
  if (attempts_.size() != attempts) return "an attempt record outlives its task";
  return std::nullopt;
}

}  // namespace millrace::broker::test
