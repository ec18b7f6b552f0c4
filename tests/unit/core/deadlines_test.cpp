#include "broker/core/deadlines.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <utility>

#include "common/base/random.h"
#include "tests/unit/core/fixtures.h"

namespace millrace::broker::test {
namespace {

TEST(DeadlineHeap, IsNeverDueWhenEmpty) {
  TaskTable tasks;
  const DeadlineHeap heap(tasks);
  EXPECT_TRUE(heap.empty());
  EXPECT_EQ(heap.first_time(), Time::never());
}

TEST(DeadlineHeap, GivesEqualTimesInOrderOfSequence) {
  TaskTable tasks;
  DeadlineHeap heap(tasks);
  for (const std::uint64_t sequence : {4U, 2U, 5U, 1U, 3U}) {
    heap.add(add_task(tasks, sequence), at_seconds(10));
  }
  for (std::uint64_t expected = 1; expected <= 5; ++expected) {
    EXPECT_EQ(tasks[heap.first()].sequence.value, expected);
    heap.remove(heap.first());
  }
}

TEST(DeadlineHeap, ForgetsWhatIsRemoved) {
  TaskTable tasks;
  DeadlineHeap heap(tasks);
  const TaskIndex index = add_task(tasks, 1);
  heap.add(index, at_seconds(1));
  EXPECT_TRUE(heap.contains(index));
  heap.remove(index);
  EXPECT_FALSE(heap.contains(index));
  heap.remove(index);
  EXPECT_TRUE(heap.empty());
}

TEST(DeadlineHeapDeathTest, RefusesASecondTimer) {
  TaskTable tasks;
  DeadlineHeap heap(tasks);
  const TaskIndex index = add_task(tasks, 1);
  heap.add(index, at_seconds(1));
  EXPECT_DEATH(heap.add(index, at_seconds(2)), "one timer");
}

TEST(DeadlineHeapDeathTest, RefusesATaskOfAnotherHeap) {
  TaskTable tasks;
  DeadlineHeap heap(tasks);
  DeadlineHeap other(tasks);
  const TaskIndex index = add_task(tasks, 1);
  heap.add(index, at_seconds(1));
  EXPECT_DEATH(other.remove(index), "its own heap");
}

// Against an ordered set, with few distinct times so that ties are common.
TEST(DeadlineHeap, AgreesWithAnOrderedSet) {
  TaskTable tasks;
  DeadlineHeap heap(tasks);
  std::set<std::pair<Time, TaskIndex>> expected;
  std::map<TaskIndex, Time> timers;
  std::vector<TaskIndex> all;
  for (std::uint64_t i = 1; i <= 200; ++i) all.push_back(add_task(tasks, i));
  Random random(5);
  for (int step = 0; step < 20'000; ++step) {
    const TaskIndex index = all[random.below(all.size())];
    if (heap.contains(index)) {
      expected.erase({timers[index], index});
      heap.remove(index);
    } else {
      const Time at = at_seconds(random.between(0, 40));
      heap.add(index, at);
      expected.emplace(at, index);
      timers[index] = at;
    }
    ASSERT_EQ(heap.size(), expected.size());
    if (!expected.empty()) {
      ASSERT_EQ(heap.first(), expected.begin()->second);
      ASSERT_EQ(heap.first_time(), expected.begin()->first);
    }
    if (step % 100 == 0) {
      ASSERT_TRUE(heap.is_ordered());
    }
  }
}

}  // namespace
}  // namespace millrace::broker::test
