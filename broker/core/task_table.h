// All tasks the broker knows: a slab with stable indices, the way to them by id, their terms, and
// the lists that run through them. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "broker/core/id_index.h"
#include "broker/core/task.h"
#include "broker/core/terms_table.h"

namespace millrace::broker {

// A doubly linked list through Task::previous and Task::next.
struct TaskChain {
  TaskIndex head;
  TaskIndex tail;
  std::uint64_t count = 0;
};

class TaskTable {
 public:
  // `secret`: see IdIndex.
  explicit TaskTable(std::uint64_t secret = 0) : ids_(secret) {}

  // A new task with this id, which must not be in the table. Indices grow from 1; freed ones are
  // used again, the last freed first.
  TaskIndex insert(const TaskId& id, const TaskTerms& terms);
  void erase(TaskIndex index);
  // None when the id is not in the table.
  TaskIndex find(const TaskId& id) const { return ids_.find(id, IdOf{*this}); }

  // Says that the id will be looked for soon. Of a batch, ask for the one that is kLookAhead
  // further on.
  void prefetch(const TaskId& id) const { ids_.prefetch(id); }
  static constexpr std::size_t kLookAhead = 8;

  Task& operator[](TaskIndex index) { return chunks_[chunk_of(index)][slot_of(index)]; }
  const Task& operator[](TaskIndex index) const { return chunks_[chunk_of(index)][slot_of(index)]; }
  const TaskTerms& terms_of(const Task& task) const { return terms_[task.terms]; }

  std::uint64_t size() const { return size_; }
  // One past the largest index ever used; indices below it may be free (Task::exists is false).
  std::uint32_t end_index() const { return end_; }

  void append(TaskChain& chain, TaskIndex index);
  void remove(TaskChain& chain, TaskIndex index);

 private:
  static constexpr std::uint32_t kChunkBits = 12;
  static constexpr std::uint32_t kChunkSize = 1U << kChunkBits;
  static std::size_t chunk_of(TaskIndex index) { return index.value >> kChunkBits; }
  static std::size_t slot_of(TaskIndex index) { return index.value & (kChunkSize - 1); }
  struct IdOf {
    const TaskTable& tasks;
    const TaskId& operator()(TaskIndex index) const { return tasks[index].id; }
  };

  std::vector<std::unique_ptr<Task[]>> chunks_;
  std::vector<std::uint32_t> free_;
  IdIndex ids_;
  TermsTable terms_;
  std::uint32_t end_ = 1;
  std::uint64_t size_ = 0;
};

}  // namespace millrace::broker
