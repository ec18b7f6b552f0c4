#include "broker/core/client_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/base/random.h"
#include "tests/unit/core/fixtures.h"

namespace millrace::broker::test {
namespace {

TEST(ClientTable, KnowsAClientByItsPeer) {
  TaskTable tasks;
  ClientTable clients;
  EXPECT_TRUE(clients.find(PeerId(1)).is_none());
  const ClientIndex index = clients.add(PeerId(1));
  EXPECT_EQ(clients.find(PeerId(1)), index);
  clients.remove(tasks, index);
  EXPECT_TRUE(clients.find(PeerId(1)).is_none());
  EXPECT_EQ(clients.size(), 0U);
}

TEST(ClientTable, WatchesATaskOnce) {
  TaskTable tasks;
  ClientTable clients;
  const TaskIndex task = add_task(tasks, 1);
  const ClientIndex client = clients.add(PeerId(1));
  clients.watch(tasks, task, client);
  clients.watch(tasks, task, client);
  EXPECT_EQ(clients.watches(), 1U);
  EXPECT_EQ(clients.take_watchers(tasks, task), std::vector<ClientIndex>{client});
  EXPECT_TRUE(clients.take_watchers(tasks, task).empty());
  EXPECT_EQ(clients.watches(), 0U);
}

TEST(ClientTable, WatchesGoWithTheirClient) {
  TaskTable tasks;
  ClientTable clients;
  const TaskIndex task = add_task(tasks, 1);
  const TaskIndex other_task = add_task(tasks, 2);
  const ClientIndex leaving = clients.add(PeerId(1));
  const ClientIndex staying = clients.add(PeerId(2));
  clients.watch(tasks, task, leaving);
  clients.watch(tasks, task, staying);
  clients.watch(tasks, other_task, leaving);
  clients.remove(tasks, leaving);
  EXPECT_EQ(clients.watches(), 1U);
  EXPECT_EQ(clients.take_watchers(tasks, task), std::vector<ClientIndex>{staying});
  EXPECT_TRUE(clients.take_watchers(tasks, other_task).empty());
}

TEST(ClientTable, AFreedHandleStartsEmpty) {
  TaskTable tasks;
  ClientTable clients;
  const TaskIndex task = add_task(tasks, 1);
  const ClientIndex first = clients.add(PeerId(1));
  clients.watch(tasks, task, first);
  clients.remove(tasks, first);
  const ClientIndex second = clients.add(PeerId(2));
  EXPECT_EQ(second, first);
  EXPECT_TRUE(clients[second].first_watch.is_none());
  EXPECT_TRUE(clients.take_watchers(tasks, task).empty());
}

// Clients come and go and watch at random; a set of pairs says who must be told.
TEST(ClientTable, AgreesWithASetOfPairs) {
  TaskTable tasks;
  ClientTable clients;
  std::vector<TaskIndex> all;
  for (std::uint64_t i = 1; i <= 12; ++i) all.push_back(add_task(tasks, i));
  std::map<std::uint64_t, ClientIndex> connected;
  std::set<std::pair<TaskIndex, ClientIndex>> expected;
  Random random(9);
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t peer = 1 + random.below(8);
    const TaskIndex task = all[random.below(all.size())];
    if (!connected.contains(peer)) {
      connected[peer] = clients.add(PeerId(peer));
    } else if (random.chance(1, 8)) {
      const ClientIndex gone = connected[peer];
      clients.remove(tasks, gone);
      connected.erase(peer);
      std::erase_if(expected, [gone](const auto& pair) { return pair.second == gone; });
    } else if (random.chance(1, 6)) {
      std::vector<ClientIndex> told = clients.take_watchers(tasks, task);
      std::sort(told.begin(), told.end());
      std::vector<ClientIndex> due;
      for (const auto& [watched, client] : expected) {
        if (watched == task) due.push_back(client);
      }
      ASSERT_EQ(told, due);
      std::erase_if(expected, [task](const auto& pair) { return pair.first == task; });
    } else {
      clients.watch(tasks, task, connected[peer]);
      expected.emplace(task, connected[peer]);
    }
    ASSERT_EQ(clients.watches(), expected.size());
    ASSERT_EQ(clients.size(), connected.size());
  }
}

}  // namespace
}  // namespace millrace::broker::test
