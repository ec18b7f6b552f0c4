#include "broker/core/task_table.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "common/base/random.h"
#include "tests/unit/core/fixtures.h"

namespace millrace::broker::test {
namespace {

TEST(TaskTable, FindsNothingInAnEmptyTable) {
  const TaskTable tasks;
  EXPECT_TRUE(tasks.find(id_of(1, 1)).is_none());
  EXPECT_EQ(tasks.size(), 0U);
  EXPECT_EQ(tasks.end_index(), 1U);
}

// Does the same to a table and to a map, and compares them all along.
class Comparison {
 public:
  void insert(const TaskId& id) {
    const TaskIndex index = tasks_.insert(id, TaskTerms());
    ASSERT_TRUE(used_.insert(index).second) << "an index was given out twice";
    expected_[id] = index;
  }
  void erase(const TaskId& id) {
    const TaskIndex index = expected_.at(id);
    tasks_.erase(index);
    used_.erase(index);
    expected_.erase(id);
    EXPECT_FALSE(tasks_[index].exists);
  }
  bool contains(const TaskId& id) const { return expected_.contains(id); }
  void compare(const std::vector<TaskId>& ids) const {
    ASSERT_EQ(tasks_.size(), expected_.size());
    for (const TaskId& id : ids) {
      const auto found = expected_.find(id);
      const TaskIndex index = found == expected_.end() ? TaskIndex() : found->second;
      ASSERT_EQ(tasks_.find(id), index);
      if (!index.is_none()) {
        ASSERT_EQ(tasks_[index].id, id);
      }
    }
  }

 private:
  TaskTable tasks_;
  std::map<TaskId, TaskIndex> expected_;
  std::set<TaskIndex> used_;
};

void play(const std::vector<TaskId>& ids, std::uint64_t seed, int steps) {
  Random random(seed);
  Comparison comparison;
  for (int step = 0; step < steps; ++step) {
    const TaskId& id = ids[random.below(ids.size())];
    if (comparison.contains(id)) {
      comparison.erase(id);
    } else {
      comparison.insert(id);
    }
    if (step % 16 == 0) comparison.compare(ids);
    if (testing::Test::HasFatalFailure()) return;
  }
  comparison.compare(ids);
}

TEST(TaskTable, AgreesWithAMapForRandomIds) {
  Random random(3);
  std::vector<TaskId> ids;
  for (int i = 0; i < 300; ++i) ids.push_back(make_random_id<TaskId>(random));
  play(ids, 1, 10'000);
}

// Long runs of equal and of neighbouring homes, over the end of the table too: erasing must move
// back exactly those that may move.
TEST(TaskTable, AgreesWithAMapForCollidingIds) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    std::vector<TaskId> ids;
    for (int family = 0; family < 8; ++family) {
      const std::uint64_t high = random.next();
      for (std::uint64_t member = 1; member <= 30; ++member) {
        ids.push_back(colliding_id(high, member));
      }
    }
    play(ids, seed, 2'000);
  }
}

TEST(TaskTable, KeepsEveryTaskWhileItGrows) {
  TaskTable tasks;
  const std::uint64_t count = 20'000;
  for (std::uint64_t i = 1; i <= count; ++i) {
    ASSERT_EQ(tasks.insert(id_of(i, i), TaskTerms()).value, i);
  }
  for (std::uint64_t i = 1; i <= count; ++i) ASSERT_EQ(tasks.find(id_of(i, i)).value, i);
  EXPECT_TRUE(tasks.find(id_of(count + 1, count + 1)).is_none());
}

// Growth moves entries a few at a time: what is not moved yet is found and erased all the same.
TEST(TaskTable, FindsAndErasesInTheMidstOfGrowing) {
  TaskTable tasks(99);
  Random random(4);
  std::map<TaskId, TaskIndex> expected;
  for (std::uint64_t i = 1; i <= 60'000; ++i) {
    const TaskId id = id_of(random.next(), i);
    expected[id] = tasks.insert(id, TaskTerms());
    if (i % 3 != 0) continue;
    const auto victim = expected.lower_bound(id_of(random.next(), 0));
    if (victim == expected.end()) continue;
    ASSERT_EQ(tasks.find(victim->first), victim->second);
    tasks.erase(victim->second);
    ASSERT_TRUE(tasks.find(victim->first).is_none());
    expected.erase(victim);
  }
  ASSERT_EQ(tasks.size(), expected.size());
  for (const auto& [id, index] : expected) ASSERT_EQ(tasks.find(id), index);
}

TEST(TermsTable, KeepsEachKindOnceAndForgetsWhatNobodyHas) {
  TermsTable table;
  TaskTerms slow;
  slow.timeout = Duration::minutes(5);
  TaskTerms urgent;
  urgent.priority = 9;
  const TermsIndex first = table.add_user(slow);
  const TermsIndex second = table.add_user(urgent);
  EXPECT_NE(first, second);
  EXPECT_EQ(table.add_user(slow), first);
  EXPECT_EQ(table.size(), 2U);
  table.remove_user(first);
  EXPECT_EQ(table[first], slow);
  table.remove_user(first);
  EXPECT_EQ(table.size(), 1U);
  slow.ttl = Duration::seconds(1);
  EXPECT_EQ(table.add_user(slow), first) << "a freed place is used again";
  EXPECT_EQ(table[first], slow);
  EXPECT_EQ(table[second], urgent);
}

TEST(TaskTable, GivesAFreedIndexOutAgainAsNew) {
  TaskTable tasks;
  const TaskIndex first = add_task(tasks, 1);
  const TaskIndex second = add_task(tasks, 2);
  tasks[first].dirty = true;
  tasks[first].in_returned = true;
  tasks.erase(first);
  const TaskIndex third = add_task(tasks, 3);
  EXPECT_EQ(third, first);
  EXPECT_FALSE(tasks[third].dirty);
  EXPECT_FALSE(tasks[third].in_returned);
  EXPECT_EQ(tasks.end_index(), second.value + 1);
}

TEST(TaskTableDeathTest, RefusesAnIdTwice) {
  TaskTable tasks;
  tasks.insert(id_of(1, 1), TaskTerms());
  EXPECT_DEATH(tasks.insert(id_of(1, 1), TaskTerms()), "inserted once");
}

TEST(TaskChain, TakesOutHeadMiddleAndTail) {
  TaskTable tasks;
  TaskChain chain;
  std::vector<TaskIndex> all;
  for (std::uint64_t i = 1; i <= 5; ++i) {
    all.push_back(add_task(tasks, i));
    tasks.append(chain, all.back());
  }
  tasks.remove(chain, all[2]);
  tasks.remove(chain, all[0]);
  tasks.remove(chain, all[4]);
  EXPECT_EQ(chain.count, 2U);
  EXPECT_EQ(chain.head, all[1]);
  EXPECT_EQ(chain.tail, all[3]);
  EXPECT_EQ(tasks[all[1]].next, all[3]);
  EXPECT_EQ(tasks[all[3]].previous, all[1]);
  tasks.append(chain, all[0]);
  EXPECT_EQ(chain.tail, all[0]);
  tasks.remove(chain, all[1]);
  tasks.remove(chain, all[3]);
  tasks.remove(chain, all[0]);
  EXPECT_TRUE(chain.head.is_none());
  EXPECT_TRUE(chain.tail.is_none());
}

TEST(TaskChainDeathTest, RefusesATaskOfAnotherList) {
  TaskTable tasks;
  TaskChain one;
  TaskChain other;
  const TaskIndex index = add_task(tasks, 1);
  tasks.append(one, index);
  EXPECT_DEATH(tasks.remove(other, index), "the list it is in");
}

}  // namespace
}  // namespace millrace::broker::test
