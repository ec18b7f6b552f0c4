#include "broker/core/client_table.h"

namespace millrace::broker {

ClientIndex ClientTable::find(PeerId peer) const {
  const auto found = by_peer_.find(peer);
  return found == by_peer_.end() ? ClientIndex() : found->second;
}

ClientIndex ClientTable::add(PeerId peer) {
  std::uint32_t number = 0;
  if (!free_clients_.empty()) {
    number = free_clients_.back();
    free_clients_.pop_back();
  } else {
    number = static_cast<std::uint32_t>(clients_.size());
    clients_.emplace_back();
  }
  Client& client = clients_[number];
  client = Client();
  client.peer = peer;
  client.exists = true;
  by_peer_[peer] = ClientIndex(number);
  return ClientIndex(number);
}

void ClientTable::remove(TaskTable& tasks, ClientIndex index) {
  Client& client = clients_[index.value];
  while (!client.first_watch.is_none()) {
    const WatchIndex watch = client.first_watch;
    unlink_of_task(tasks, watch);
    unlink_of_client(watch);
    free_node(watch);
  }
  by_silence_.erase({client.silence_deadline, index});
  by_peer_.erase(client.peer);
  client = Client();
  free_clients_.push_back(index.value);
}

void ClientTable::watch(TaskTable& tasks, TaskIndex task, ClientIndex client) {
  for (WatchIndex at = tasks[task].first_watch(); !at.is_none();
       at = nodes_[at.value].next_of_task) {
    if (nodes_[at.value].client == client) return;
  }
  WatchIndex index;
  if (!free_nodes_.empty()) {
    index = free_nodes_.back();
    free_nodes_.pop_back();
  } else {
    index = WatchIndex(static_cast<std::uint32_t>(nodes_.size()));
    nodes_.emplace_back();
  }
  WatchNode& node = nodes_[index.value];
  node = WatchNode{task, client, tasks[task].first_watch(), WatchIndex(),
                   clients_[client.value].first_watch};
  if (!node.next_of_client.is_none()) nodes_[node.next_of_client.value].previous_of_client = index;
  tasks[task].set_first_watch(index);
  clients_[client.value].first_watch = index;
  ++watches_;
}

std::vector<ClientIndex> ClientTable::take_watchers(TaskTable& tasks, TaskIndex task) {
  std::vector<ClientIndex> watchers;
  while (!tasks[task].first_watch().is_none()) {
    const WatchIndex index = tasks[task].first_watch();
    watchers.push_back(nodes_[index.value].client);
    tasks[task].set_first_watch(nodes_[index.value].next_of_task);
    unlink_of_client(index);
    free_node(index);
  }
  return watchers;
}

void ClientTable::unlink_of_client(WatchIndex index) {
  const WatchNode& node = nodes_[index.value];
  if (node.previous_of_client.is_none()) {
    clients_[node.client.value].first_watch = node.next_of_client;
  } else {
    nodes_[node.previous_of_client.value].next_of_client = node.next_of_client;
  }
  if (!node.next_of_client.is_none()) {
    nodes_[node.next_of_client.value].previous_of_client = node.previous_of_client;
  }
}

void ClientTable::unlink_of_task(TaskTable& tasks, WatchIndex index) {
  Task& task = tasks[nodes_[index.value].task];
  const WatchIndex next = nodes_[index.value].next_of_task;
  if (task.first_watch() == index) {
    task.set_first_watch(next);
    return;
  }
  WatchIndex before = task.first_watch();
  while (nodes_[before.value].next_of_task != index) before = nodes_[before.value].next_of_task;
  nodes_[before.value].next_of_task = next;
}

void ClientTable::free_node(WatchIndex index) {
  nodes_[index.value] = WatchNode();
  free_nodes_.push_back(index);
  --watches_;
}

}  // namespace millrace::broker
