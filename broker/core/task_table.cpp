#include "broker/core/task_table.h"

#include <limits>

namespace millrace::broker {
TaskIndex TaskTable::insert(const TaskId& id, const TaskTerms& terms) {
  MILLRACE_CHECK(find(id).is_none(), "a task id is inserted once");
  std::uint32_t index = 0;
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else {
    MILLRACE_CHECK(end_ < std::numeric_limits<std::uint32_t>::max(), "fewer than 2^32 tasks");
    index = end_++;
    if (chunk_of(TaskIndex(index)) >= chunks_.size()) {
      chunks_.push_back(std::make_unique<Task[]>(kChunkSize));
    }
  }
  Task& task = (*this)[TaskIndex(index)];
  task = Task();
  task.id = id;
  task.terms = terms_.add_user(terms);
  task.exists = true;
  ids_.insert(id, TaskIndex(index), IdOf{*this});
  ++size_;
  return TaskIndex(index);
}

void TaskTable::erase(TaskIndex index) {
  Task& task = (*this)[index];
  MILLRACE_CHECK(task.exists, "only an existing task is erased");
  ids_.erase(task.id, index);
  terms_.remove_user(task.terms);
  task = Task();
  free_.push_back(index.value);
  --size_;
}

void TaskTable::append(TaskChain& chain, TaskIndex index) {
  Task& task = (*this)[index];
  MILLRACE_CHECK(task.previous.is_none() && task.next.is_none() && chain.head != index,
                 "a task is in one list at a time");
  task.previous = chain.tail;
  if (chain.tail.is_none()) {
    chain.head = index;
  } else {
    (*this)[chain.tail].next = index;
  }
  chain.tail = index;
  ++chain.count;
}

void TaskTable::remove(TaskChain& chain, TaskIndex index) {
  Task& task = (*this)[index];
  MILLRACE_CHECK(chain.count > 0, "a task is removed from the list it is in");
  if (task.previous.is_none()) {
    MILLRACE_CHECK(chain.head == index, "a task is removed from the list it is in");
    chain.head = task.next;
  } else {
    (*this)[task.previous].next = task.next;
  }
  if (task.next.is_none()) {
    MILLRACE_CHECK(chain.tail == index, "a task is removed from the list it is in");
    chain.tail = task.previous;
  } else {
    (*this)[task.next].previous = task.previous;
  }
  task.previous = TaskIndex();
  task.next = TaskIndex();
  --chain.count;
}

}  // namespace millrace::broker
