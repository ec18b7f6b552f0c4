#include "broker/core/worker_pool.h"

#include <gtest/gtest.h>

#include "tests/unit/core/fixtures.h"

namespace millrace::broker::test {
namespace {

class WorkerPoolTest : public testing::Test {
 protected:
  WorkerPoolTest() : mail_(queues_.add("mail")), video_(queues_.add("video")), pool_(queues_) {}

  WorkerIndex connect(std::uint8_t number, std::vector<QueueNumber> queues, std::uint32_t slots = 1,
                      std::uint32_t credit = 1) {
    WorkerId id;
    id.bytes[0] = number;
    const WorkerIndex index = pool_.add(id, PeerId(number), std::move(queues));
    pool_[index].slots = slots;
    pool_[index].credit = credit;
    pool_.refile(index);
    return index;
  }
  // Puts a pending task into the queue.
  void fill(QueueNumber queue) {
    const TaskIndex index = add_task(tasks_, ++sequence_);
    queues_[queue].ready.insert(tasks_, index);
    pool_.refile_queue(queue);
  }
  void hold(WorkerIndex worker) {
    tasks_.append(pool_[worker].leases, add_task(tasks_, ++sequence_));
    pool_.refile(worker);
  }
  WorkerIndex freest(WorkerIndex of_group_of) {
    return std::get<2>(*pool_.group(pool_[of_group_of].group).available.begin());
  }

  TaskTable tasks_;
  QueueTable queues_;
  std::uint64_t sequence_ = 0;
  QueueNumber mail_;
  QueueNumber video_;
  WorkerPool pool_;
};

TEST_F(WorkerPoolTest, WorkersOfTheSameQueuesShareAGroupInAnyOrder) {
  const WorkerIndex one = connect(1, {mail_, video_});
  const WorkerIndex two = connect(2, {video_, mail_, video_});
  const WorkerIndex three = connect(3, {mail_});
  EXPECT_EQ(pool_[one].group, pool_[two].group);
  EXPECT_NE(pool_[one].group, pool_[three].group);
  EXPECT_EQ(pool_.group(pool_[one].group).members, 2U);
  EXPECT_EQ(queues_[mail_].groups.size(), 2U);
  EXPECT_EQ(queues_[video_].groups.size(), 1U);
}

TEST_F(WorkerPoolTest, IsFoundByIdAndByItsNewestPeer) {
  const WorkerIndex one = connect(1, {mail_});
  pool_.set_peer(one, PeerId(77));
  EXPECT_EQ(pool_.find_peer(PeerId(77)), one);
  EXPECT_TRUE(pool_.find_peer(PeerId(1)).is_none());
  EXPECT_EQ(pool_.find(pool_[one].id), one);
}

TEST_F(WorkerPoolTest, AGroupIsMatchableWithBothWorkersAndWork) {
  EXPECT_TRUE(pool_.matchable().empty());
  const WorkerIndex one = connect(1, {mail_});
  EXPECT_TRUE(pool_.matchable().empty());
  fill(video_);
  EXPECT_TRUE(pool_.matchable().empty());
  fill(mail_);
  EXPECT_EQ(pool_.matchable(), std::set<GroupIndex>{pool_[one].group});
  hold(one);
  EXPECT_TRUE(pool_.matchable().empty());
}

TEST_F(WorkerPoolTest, APausedQueueIsNoWork) {
  connect(1, {mail_});
  fill(mail_);
  queues_[mail_].paused = true;
  pool_.refile_queue(mail_);
  EXPECT_TRUE(pool_.matchable().empty());
  queues_[mail_].paused = false;
  pool_.refile_queue(mail_);
  EXPECT_EQ(pool_.matchable().size(), 1U);
}

TEST_F(WorkerPoolTest, AGroupThatComesLateSeesTheWorkThatIsThere) {
  fill(mail_);
  connect(1, {mail_});
  EXPECT_EQ(pool_.matchable().size(), 1U);
}

TEST_F(WorkerPoolTest, DrainingParkedAndFullWorkersAreNotAvailable) {
  const WorkerIndex one = connect(1, {mail_}, 1, 2);
  const Group& group = pool_.group(pool_[one].group);
  EXPECT_EQ(group.available.size(), 1U);
  pool_[one].draining = true;
  pool_.refile(one);
  EXPECT_TRUE(group.available.empty());
  pool_[one].draining = false;
  pool_[one].parked = true;
  pool_.refile(one);
  EXPECT_TRUE(group.available.empty());
  pool_[one].parked = false;
  pool_.refile(one);
  EXPECT_EQ(group.available.size(), 1U);
  hold(one);
  EXPECT_EQ(group.available.size(), 1U);
  EXPECT_TRUE(group.surplus.empty());
  hold(one);
  EXPECT_TRUE(group.available.empty());
  EXPECT_EQ(group.surplus.size(), 1U);
}

TEST_F(WorkerPoolTest, TheFreestIsFirstByItsShareOfSlots) {
  const WorkerIndex small = connect(1, {mail_}, 1, 4);
  const WorkerIndex large = connect(2, {mail_}, 4, 8);
  hold(small);
  hold(large);
  EXPECT_EQ(freest(small), large);
  hold(large);
  hold(large);
  EXPECT_EQ(freest(small), large);
  hold(large);
  // Both full: the one that was served longer ago.
  pool_[small].last_dispatch = 7;
  pool_.refile(small);
  pool_[large].last_dispatch = 3;
  pool_.refile(large);
  EXPECT_EQ(freest(small), large);
}

TEST_F(WorkerPoolTest, QueuesTakeTurns) {
  const WorkerIndex one = connect(1, {video_, mail_});
  fill(mail_);
  fill(video_);
  Group& group = pool_.group(pool_[one].group);
  EXPECT_EQ(pool_.next_queue(group), mail_);
  EXPECT_EQ(pool_.next_queue(group), video_);
  EXPECT_EQ(pool_.next_queue(group), mail_);
}

TEST_F(WorkerPoolTest, OtherQueuesMeanAnotherGroup) {
  const WorkerIndex one = connect(1, {mail_});
  fill(mail_);
  const GroupIndex before = pool_[one].group;
  pool_.set_queues(one, {mail_});
  EXPECT_EQ(pool_[one].group, before);
  pool_.set_queues(one, {video_});
  EXPECT_TRUE(pool_.matchable().empty());
  EXPECT_TRUE(queues_[mail_].groups.empty());
  EXPECT_EQ(queues_[video_].groups.size(), 1U);
  EXPECT_EQ(pool_.group(pool_[one].group).available.size(), 1U);
}

TEST_F(WorkerPoolTest, NothingRemainsOfARemovedWorker) {
  const WorkerIndex one = connect(1, {mail_});
  fill(mail_);
  const WorkerId id = pool_[one].id;
  pool_[one].silence_deadline = at_seconds(3);
  pool_.by_silence().emplace(at_seconds(3), one);
  pool_.remove(one);
  EXPECT_TRUE(pool_.find(id).is_none());
  EXPECT_TRUE(pool_.find_peer(PeerId(1)).is_none());
  EXPECT_TRUE(pool_.matchable().empty());
  EXPECT_TRUE(pool_.by_silence().empty());
  EXPECT_TRUE(queues_[mail_].groups.empty());
  EXPECT_EQ(connect(2, {mail_}), one);
  EXPECT_EQ(pool_.matchable().size(), 1U);
}

TEST_F(WorkerPoolTest, RemovingOneOfTwoKeepsTheGroup) {
  const WorkerIndex one = connect(1, {mail_});
  const WorkerIndex two = connect(2, {mail_});
  fill(mail_);
  pool_.remove(one);
  EXPECT_EQ(pool_.group(pool_[two].group).members, 1U);
  EXPECT_EQ(freest(two), two);
  EXPECT_EQ(pool_.matchable().size(), 1U);
  hold(two);
  EXPECT_TRUE(pool_.matchable().empty());
}

using WorkerPoolDeathTest = WorkerPoolTest;

TEST_F(WorkerPoolDeathTest, AWorkerLeavesWithoutLeases) {
  const WorkerIndex one = connect(1, {mail_}, 1, 2);
  hold(one);
  EXPECT_DEATH(pool_.remove(one), "without leases");
}

}  // namespace
}  // namespace millrace::broker::test
