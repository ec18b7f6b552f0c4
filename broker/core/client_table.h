// Client connections and the ends they wait for. Not thread-safe.
#pragma once

#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/core/task_table.h"

namespace millrace::broker {

struct Client {
  PeerId peer;
  Time last_heard;
  Time silence_deadline;  // its key in by_silence
  WatchIndex first_watch;
  std::uint32_t finished_slot = 0;  // this turn's FinishedToClient, from 1
  bool exists = false;
};

// One client waits for one task: a node in the task's chain and in the client's.
struct WatchNode {
  TaskIndex task;
  ClientIndex client;
  WatchIndex next_of_task;
  WatchIndex previous_of_client;
  WatchIndex next_of_client;
};

class ClientTable {
 public:
  ClientIndex find(PeerId peer) const;
  ClientIndex add(PeerId peer);
  // Its watches go with it.
  void remove(TaskTable& tasks, ClientIndex index);
  Client& operator[](ClientIndex index) { return clients_[index.value]; }
  const Client& operator[](ClientIndex index) const { return clients_[index.value]; }
  std::size_t size() const { return by_peer_.size(); }

  // Does nothing when the client watches the task already.
  void watch(TaskTable& tasks, TaskIndex task, ClientIndex client);
  // Takes every watch off the task and returns the clients, the last to watch first.
  std::vector<ClientIndex> take_watchers(TaskTable& tasks, TaskIndex task);
  std::uint64_t watches() const { return watches_; }
  const WatchNode& node(WatchIndex index) const { return nodes_[index.value]; }

  std::set<std::pair<Time, ClientIndex>>& by_silence() { return by_silence_; }
  const std::set<std::pair<Time, ClientIndex>>& by_silence() const { return by_silence_; }

 private:
  void unlink_of_client(WatchIndex index);
  void unlink_of_task(TaskTable& tasks, WatchIndex index);
  void free_node(WatchIndex index);

  std::vector<Client> clients_ = std::vector<Client>(1);
  std::vector<std::uint32_t> free_clients_;
  std::unordered_map<PeerId, ClientIndex> by_peer_;
  std::vector<WatchNode> nodes_ = std::vector<WatchNode>(1);
  std::vector<WatchIndex> free_nodes_;
  std::uint64_t watches_ = 0;
  std::set<std::pair<Time, ClientIndex>> by_silence_;
};

}  // namespace millrace::broker
