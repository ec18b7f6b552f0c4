#include "broker/core/task_table.h"

#include <limits>

namespace millrace::broker {
namespace {

std::uint32_t tag_of(const TaskId& id) {
  return static_cast<std::uint32_t>(std::hash<TaskId>{}(id) >> 16);
}

}  // namespace

TaskTable::TaskTable() : cells_(1024) {}

std::size_t TaskTable::home_of(std::uint32_t tag) const {
  return tag & (cells_.size() - 1);
}

TaskIndex TaskTable::find(const TaskId& id) const {
  const std::uint32_t tag = tag_of(id);
  for (std::size_t at = home_of(tag);; at = (at + 1) & (cells_.size() - 1)) {
    const Cell& cell = cells_[at];
    if (cell.index == 0) return TaskIndex();
    if (cell.tag == tag && (*this)[TaskIndex(cell.index)].record.id == id) {
      return TaskIndex(cell.index);
    }
  }
}

TaskIndex TaskTable::insert(const TaskId& id) {
  MILLRACE_CHECK(find(id).is_none(), "a task id is inserted once");
  if ((size_ + 1) * 4 > cells_.size() * 3) grow();
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
  task.record.id = id;
  task.exists = true;
  place(index, tag_of(id));
  ++size_;
  return TaskIndex(index);
}

void TaskTable::place(std::uint32_t index, std::uint32_t tag) {
  std::size_t at = home_of(tag);
  while (cells_[at].index != 0) at = (at + 1) & (cells_.size() - 1);
  cells_[at] = Cell{index, tag};
}

void TaskTable::grow() {
  std::vector<Cell> old(cells_.size() * 2);
  old.swap(cells_);
  for (const Cell& cell : old) {
    if (cell.index != 0) place(cell.index, cell.tag);
  }
}

void TaskTable::erase(TaskIndex index) {
  Task& task = (*this)[index];
  MILLRACE_CHECK(task.exists, "only an existing task is erased");
  const std::size_t mask = cells_.size() - 1;
  std::size_t hole = home_of(tag_of(task.record.id));
  while (cells_[hole].index != index.value) hole = (hole + 1) & mask;
  // Backward-shift deletion (Knuth, TAOCP 6.4, algorithm R): no tombstones.
  for (std::size_t at = (hole + 1) & mask; cells_[at].index != 0; at = (at + 1) & mask) {
    const std::size_t home = home_of(cells_[at].tag);
    if (((at - home) & mask) >= ((at - hole) & mask)) {
      cells_[hole] = cells_[at];
      hole = at;
    }
  }
  cells_[hole] = Cell{};
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
