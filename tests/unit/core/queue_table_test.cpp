#include "broker/core/queue_table.h"

#include <gtest/gtest.h>

namespace millrace::broker::test {
namespace {

TEST(QueueTable, KnowsTheQueuesOfARestartInWhateverOrderTheyCome) {
  QueueTable queues;
  queues.insert(QueueNumber(3), "video", true);
  queues.insert(QueueNumber(1), "mail", false);
  EXPECT_EQ(queues.find("video"), QueueNumber(3));
  EXPECT_EQ(queues.find("mail"), QueueNumber(1));
  EXPECT_TRUE(queues[QueueNumber(3)].paused);
  EXPECT_FALSE(queues[QueueNumber(1)].paused);
  EXPECT_EQ(queues.size(), 2U);
  EXPECT_EQ(queues.add("new"), QueueNumber(4));
}

TEST(QueueTable, ContainsWhatWasInsertedAndNothingBesideIt) {
  QueueTable queues;
  queues.insert(QueueNumber(2), "mail", false);
  EXPECT_TRUE(queues.contains(QueueNumber(2)));
  EXPECT_FALSE(queues.contains(QueueNumber()));
  EXPECT_FALSE(queues.contains(QueueNumber(1)));
  EXPECT_FALSE(queues.contains(QueueNumber(3)));
}

}  // namespace
}  // namespace millrace::broker::test
