#include "broker/store/memory_store.h"

#include <variant>

namespace millrace::broker {
namespace {

template <class Map>
Result<typename Map::mapped_type> find_in(const Map& map, const typename Map::key_type& key,
                                          const char* what, TaskSequence sequence) {
  const auto found = map.find(key);
  if (found != map.end()) return found->second;
  return Error{ErrorCode::not_found,
               "nothing is stored as " + std::string(what) + "/" + std::to_string(sequence.value)};
}

}  // namespace

void MemoryStore::commit(std::size_t count) {
  if (count == 0 || waiting_.empty()) return;
  ++counters_.commits;
  for (; count > 0 && !waiting_.empty(); --count) {
    for (const Write& write : waiting_.front()) {
      std::visit([this](const auto& one) { apply(one); }, write);
      ++counters_.writes;
    }
    waiting_.pop_front();
    durable_ = durable_.next();
    ++counters_.batches;
  }
}

void MemoryStore::crash() {
  waiting_.clear();
  newest_ = durable_;
  epoch_ = epoch_.next();
  counters_ = StoreCounters();
}

Status MemoryStore::load(const LoadVisitor& visitor) {
  if (visitor.totals) visitor.totals(totals_);
  for (const auto& [number, queue] : queues_) {
    if (visitor.queue) visitor.queue(queue);
  }
  for (const auto& [sequence, task] : tasks_) {
    if (visitor.task) visitor.task(task);
  }
  return Done{};
}

BatchNumber MemoryStore::submit(std::vector<Write> writes) {
  if (writes.empty()) return newest_;
  newest_ = newest_.next();
  waiting_.push_back(std::move(writes));
  if (settings_.auto_commit) commit_all();
  return newest_;
}

Result<TaskRecord> MemoryStore::read_task(TaskSequence sequence) {
  return find_in(tasks_, sequence, "tasks", sequence);
}
Result<SharedBytes> MemoryStore::read_spec(TaskSequence sequence) {
  return find_in(specs_, sequence, "specs", sequence);
}
Result<SharedBytes> MemoryStore::read_result(TaskSequence sequence) {
  return find_in(results_, sequence, "results", sequence);
}
Result<AttemptRecord> MemoryStore::read_attempt(TaskSequence sequence, std::uint16_t number) {
  return find_in(attempts_, AttemptKey(sequence, number), "attempts", sequence);
}

void MemoryStore::apply(const PutTask& write) {
  tasks_[write.record.sequence] = write.record;
}
void MemoryStore::apply(const PutSpec& write) {
  specs_[write.sequence] = write.bytes;
}
void MemoryStore::apply(const EraseSpec& write) {
  specs_.erase(write.sequence);
}
void MemoryStore::apply(const PutResult& write) {
  results_[write.sequence] = write.bytes;
}
void MemoryStore::apply(const PutAttempt& write) {
  attempts_[AttemptKey(write.sequence, write.number)] = write.record;
}
void MemoryStore::apply(const EraseTask& write) {
  tasks_.erase(write.sequence);
  if (write.has_spec) specs_.erase(write.sequence);
  if (write.has_result) results_.erase(write.sequence);
  apply(EraseAttempts{write.sequence, write.attempt_records});
}
void MemoryStore::apply(const EraseAttempts& write) {
  for (std::uint32_t number = 1; number <= write.attempt_records; ++number) {
    attempts_.erase(AttemptKey(write.sequence, static_cast<std::uint16_t>(number)));
  }
}
void MemoryStore::apply(const PutQueue& write) {
  queues_[write.queue] = StoredQueue{write.queue, write.name, write.paused};
}
void MemoryStore::apply(const PutTotals& write) {
  totals_ = write.totals;
}

}  // namespace millrace::broker
