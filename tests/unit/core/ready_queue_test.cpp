#include "broker/core/ready_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "common/base/random.h"
#include "tests/unit/core/fixtures.h"

namespace millrace::broker::test {
namespace {

class ReadyQueueTest : public testing::Test {
 protected:
  TaskIndex wait(std::uint64_t sequence, std::uint8_t priority = kPriorityDefault,
                 Time since = at_seconds(0)) {
    const TaskIndex index = add_task(tasks_, sequence, priority);
    tasks_[index].moment = since;
    queue_.insert(tasks_, index);
    return index;
  }
  // One that comes back out of order.
  TaskIndex add_returned(std::uint64_t sequence) {
    const TaskIndex index = wait(sequence);
    EXPECT_TRUE(tasks_[index].in_returned);
    return index;
  }
  // Takes all, the next one first.
  std::vector<std::uint64_t> drain(Time now, Duration aging) {
    std::vector<std::uint64_t> order;
    while (queue_.size() > 0) {
      const TaskIndex index = queue_.first(tasks_, now, aging);
      order.push_back(tasks_[index].sequence.value);
      queue_.remove(tasks_, index);
    }
    return order;
  }
  TaskTable tasks_;
  ReadyQueue queue_;
};

using Sequences = std::vector<std::uint64_t>;

TEST_F(ReadyQueueTest, HasNothingWhenEmpty) {
  EXPECT_TRUE(queue_.first(tasks_, at_seconds(0), Duration()).is_none());
  EXPECT_TRUE(queue_.oldest(tasks_).is_none());
}

TEST_F(ReadyQueueTest, HigherPriorityFirstThenOrderOfAcceptance) {
  wait(1, 0);
  wait(2, 9);
  wait(3, 4);
  wait(4, 9);
  EXPECT_EQ(drain(at_seconds(1), Duration()), (Sequences{2, 4, 3, 1}));
}

TEST_F(ReadyQueueTest, ReturnedTasksTakeTheirOldPlace) {
  wait(5);
  wait(7);
  EXPECT_TRUE(tasks_[wait(2)].in_returned);
  EXPECT_TRUE(tasks_[wait(6)].in_returned);
  EXPECT_FALSE(tasks_[wait(9)].in_returned);
  EXPECT_EQ(drain(at_seconds(1), Duration()), (Sequences{2, 5, 6, 7, 9}));
}

TEST_F(ReadyQueueTest, StaysInOrderWhenTheFifoRanEmptyBeforeTheReturned) {
  const TaskIndex five = wait(5);
  wait(3);
  queue_.remove(tasks_, five);
  wait(4);
  wait(1);
  EXPECT_EQ(drain(at_seconds(1), Duration()), (Sequences{1, 3, 4}));
}

TEST_F(ReadyQueueTest, RemovingAReturnedTaskClearsItsMark) {
  wait(5);
  const TaskIndex returned = wait(2);
  queue_.remove(tasks_, returned);
  EXPECT_FALSE(tasks_[returned].in_returned);
  EXPECT_EQ(queue_.size(), 1U);
}

TEST_F(ReadyQueueTest, AgingLiftsByOneForEachFullInterval) {
  const Duration aging = Duration::seconds(10);
  const TaskIndex low = wait(1, 3, at_seconds(0));
  const TaskIndex high = wait(2, 5, at_seconds(29));
  EXPECT_EQ(queue_.first(tasks_, at_seconds(29), aging), high);  // 3 + 2 against 5: a tie
  EXPECT_EQ(queue_.first(tasks_, at_seconds(30), aging), low);   // 3 + 3
  EXPECT_EQ(queue_.first(tasks_, at_seconds(30), Duration()), high);
}

TEST_F(ReadyQueueTest, AgingCountsNoTimeBeforeItsStart) {
  const TaskIndex future = wait(1, 3, at_seconds(100));
  const TaskIndex now = wait(2, 3, at_seconds(0));
  EXPECT_EQ(queue_.first(tasks_, at_seconds(0), Duration::seconds(1)), future);
  queue_.remove(tasks_, future);
  EXPECT_EQ(queue_.first(tasks_, at_seconds(0), Duration::seconds(1)), now);
}

TEST_F(ReadyQueueTest, TheLowestPriorityIsReachedInBoundedTime) {
  const Duration aging = Duration::seconds(60);
  const TaskIndex lowest = wait(1, 0, at_seconds(0));
  std::uint64_t sequence = 2;
  // A stream of the highest priority that never ends.
  for (int minute = 0; minute < 11; ++minute) {
    const Time now = at_seconds(minute * 60);
    const TaskIndex top = wait(sequence++, kPriorityHighest, now);
    const TaskIndex first = queue_.first(tasks_, now, aging);
    if (first == lowest) {
      EXPECT_EQ(minute, 10);
      return;
    }
    ASSERT_EQ(first, top);
    queue_.remove(tasks_, first);
  }
  FAIL() << "starved";
}

TEST_F(ReadyQueueTest, AgreesWithASortedVector) {
  Random random(11);
  struct Waiting {
    std::uint8_t priority;
    std::uint64_t sequence;
    TaskIndex index;
  };
  std::vector<Waiting> expected;
  std::vector<TaskIndex> outside;
  std::uint64_t next = 1;
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t dice = random.below(10);
    if (dice < 3 && next < 400) {
      outside.push_back(
          add_task(tasks_, next++, static_cast<std::uint8_t>(random.below(kPriorities))));
    } else if (dice < 7 && !outside.empty()) {
      const auto chosen = static_cast<std::ptrdiff_t>(random.below(outside.size()));
      const TaskIndex index = outside[static_cast<std::size_t>(chosen)];
      outside.erase(outside.begin() + chosen);
      queue_.insert(tasks_, index);
      const Task& task = tasks_[index];
      expected.push_back({tasks_.terms_of(task).priority, task.sequence.value, index});
    } else if (!expected.empty()) {
      const auto chosen = static_cast<std::ptrdiff_t>(random.below(expected.size()));
      const TaskIndex index = expected[static_cast<std::size_t>(chosen)].index;
      expected.erase(expected.begin() + chosen);
      queue_.remove(tasks_, index);
      outside.push_back(index);
    }
    ASSERT_EQ(queue_.size(), expected.size());
    const TaskIndex first = queue_.first(tasks_, at_seconds(0), Duration());
    const auto best =
        std::min_element(expected.begin(), expected.end(), [](const Waiting& a, const Waiting& b) {
          return std::pair(b.priority, a.sequence) < std::pair(a.priority, b.sequence);
        });
    ASSERT_EQ(first, best == expected.end() ? TaskIndex() : best->index);
  }
}

TEST_F(ReadyQueueTest, CountsWhatIsAhead) {
  std::vector<TaskIndex> waiting;
  for (std::uint64_t sequence = 10; sequence < 20; ++sequence) waiting.push_back(wait(sequence));
  const TaskIndex returned = wait(5);
  const TaskIndex between = wait(12 + 100);
  wait(200, 9);
  wait(201, 1);
  EXPECT_EQ(queue_.ahead_of(tasks_, returned).count, 1U) << "the higher priority";
  EXPECT_EQ(queue_.ahead_of(tasks_, waiting.front()).count, 2U);
  EXPECT_EQ(queue_.ahead_of(tasks_, waiting.back()).count, 11U);
  EXPECT_EQ(queue_.ahead_of(tasks_, between).count, 12U);
  EXPECT_FALSE(queue_.ahead_of(tasks_, waiting.back()).is_estimate);
}

// Exactly near both ends of a lane, and by the sequences between them: never task by task.
TEST_F(ReadyQueueTest, EstimatesWhatIsAheadDeepInALongLane) {
  constexpr std::uint64_t kTasks = 10'000;
  std::vector<TaskIndex> waiting;
  for (std::uint64_t at = 0; at < kTasks; ++at) waiting.push_back(wait(1'000'000 + 2 * at));
  for (std::uint64_t at = 0; at < kTasks; ++at) wait(2 * at + 1);  // returned: out of order
  for (const std::uint64_t exact : {std::uint64_t{0}, std::uint64_t{900}, kTasks - 1}) {
    const ReadyQueue::Ahead ahead = queue_.ahead_of(tasks_, waiting[exact]);
    EXPECT_EQ(ahead.count, kTasks + exact);
    EXPECT_FALSE(ahead.is_estimate);
  }
  const ReadyQueue::Ahead middle = queue_.ahead_of(tasks_, waiting[5'000]);
  EXPECT_TRUE(middle.is_estimate);
  EXPECT_NEAR(static_cast<double>(middle.count), 15'000, 10);
  const ReadyQueue::Ahead deep = queue_.ahead_of(tasks_, add_returned(10'000));
  EXPECT_TRUE(deep.is_estimate);
  EXPECT_NEAR(static_cast<double>(deep.count), 5'000, 10);
}

}  // namespace
}  // namespace millrace::broker::test
