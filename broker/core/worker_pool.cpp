#include "broker/core/worker_pool.h"

#include <algorithm>

namespace millrace::broker {

WorkerIndex WorkerPool::add(const WorkerId& id, PeerId peer, std::vector<QueueNumber> queues) {
  MILLRACE_CHECK(find(id).is_none(), "a worker is added once");
  std::uint32_t number = 0;
  if (!free_.empty()) {
    number = free_.back();
    free_.pop_back();
  } else {
    number = static_cast<std::uint32_t>(workers_.size());
    workers_.emplace_back();
  }
  const WorkerIndex index(number);
  Worker& worker = workers_[number];
  worker = Worker();
  worker.index = index;
  worker.id = id;
  worker.peer = peer;
  worker.exists = true;
  by_id_[id] = index;
  by_peer_[peer] = index;
  worker.group = join_group(std::move(queues));
  return index;
}

void WorkerPool::remove(WorkerIndex index) {
  Worker& worker = workers_[index.value];
  MILLRACE_CHECK(worker.exists && worker.leases.count == 0, "a worker leaves without leases");
  unfile(worker);
  leave_group(index);
  by_silence_.erase({worker.silence_deadline, index});
  by_id_.erase(worker.id);
  by_peer_.erase(worker.peer);
  worker = Worker();
  free_.push_back(index.value);
}

void WorkerPool::set_peer(WorkerIndex index, PeerId peer) {
  Worker& worker = workers_[index.value];
  by_peer_.erase(worker.peer);
  worker.peer = peer;
  by_peer_[peer] = index;
}

void WorkerPool::set_queues(WorkerIndex index, std::vector<QueueNumber> queues) {
  Worker& worker = workers_[index.value];
  std::sort(queues.begin(), queues.end());
  queues.erase(std::unique(queues.begin(), queues.end()), queues.end());
  if (groups_[worker.group.value].queues == queues) return;
  unfile(worker);
  leave_group(index);
  const GroupIndex joined = join_group(std::move(queues));
  workers_[index.value].group = joined;
  refile(index);
}

WorkerIndex WorkerPool::find(const WorkerId& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? WorkerIndex() : found->second;
}

WorkerIndex WorkerPool::find_peer(PeerId peer) const {
  const auto found = by_peer_.find(peer);
  return found == by_peer_.end() ? WorkerIndex() : found->second;
}

GroupIndex WorkerPool::join_group(std::vector<QueueNumber> queues) {
  std::sort(queues.begin(), queues.end());
  queues.erase(std::unique(queues.begin(), queues.end()), queues.end());
  MILLRACE_CHECK(!queues.empty(), "a worker serves at least one queue");
  const auto found = group_of_.find(queues);
  if (found != group_of_.end()) {
    ++groups_[found->second.value].members;
    return found->second;
  }
  GroupIndex index;
  if (!free_groups_.empty()) {
    index = free_groups_.back();
    free_groups_.pop_back();
  } else {
    index = GroupIndex(static_cast<std::uint32_t>(groups_.size()));
    groups_.emplace_back();
  }
  Group& group = groups_[index.value];
  group.queues = queues;
  group.members = 1;
  group_of_.emplace(std::move(queues), index);
  for (const QueueNumber number : group.queues) {
    Queue& queue = queues_[number];
    queue.groups.insert(std::lower_bound(queue.groups.begin(), queue.groups.end(), index), index);
    if (queue.is_active()) group.active.insert(number);
  }
  return index;
}

void WorkerPool::leave_group(WorkerIndex index) {
  const GroupIndex left = workers_[index.value].group;
  workers_[index.value].group = GroupIndex();
  Group& group = groups_[left.value];
  if (--group.members > 0) {
    refile_group(left);
    return;
  }
  for (const QueueNumber number : group.queues) {
    std::vector<GroupIndex>& groups = queues_[number].groups;
    groups.erase(std::find(groups.begin(), groups.end(), left));
  }
  group_of_.erase(group.queues);
  matchable_.erase(left);
  with_idle_slot_.erase(left);
  with_surplus_.erase(left);
  group = Group();
  free_groups_.push_back(left);
}

void WorkerPool::unfile(Worker& worker) {
  Group& group = groups_[worker.group.value];
  if (worker.filed_available) {
    group.available.erase({worker.filed_load, worker.filed_dispatch, worker.index});
    worker.filed_available = false;
  }
  if (worker.filed_surplus > 0) {
    group.surplus.erase({worker.filed_surplus, worker.index});
    worker.filed_surplus = 0;
  }
}

void WorkerPool::refile(WorkerIndex index) {
  Worker& worker = workers_[index.value];
  unfile(worker);
  Group& group = groups_[worker.group.value];
  if (worker.takes_work()) {
    worker.filed_load = static_cast<std::uint64_t>(worker.held()) * 1'000 / worker.slots;
    worker.filed_dispatch = worker.last_dispatch;
    worker.filed_available = true;
    group.available.emplace(worker.filed_load, worker.filed_dispatch, index);
  }
  if (worker.surplus() > 0) {
    worker.filed_surplus = worker.surplus();
    group.surplus.emplace(worker.filed_surplus, index);
  }
  refile_group(worker.group);
}

void WorkerPool::note_change(WorkerIndex index) {
  if (noted_.empty() || noted_.back() != index) noted_.push_back(index);
}

void WorkerPool::refile_noted() {
  for (const WorkerIndex index : noted_) {
    if (workers_[index.value].exists) refile(index);
  }
  noted_.clear();
}

void WorkerPool::refile_group(GroupIndex index) {
  const Group& group = groups_[index.value];
  const auto file = [index](std::set<GroupIndex>& groups, bool belongs) {
    if (belongs) {
      groups.insert(index);
    } else {
      groups.erase(index);
    }
  };
  file(matchable_, group.is_matchable());
  file(with_idle_slot_, has_idle_slot(group));
  file(with_surplus_, !group.surplus.empty());
}

std::uint64_t WorkerPool::idle_room(const Group& group, std::uint64_t most) const {
  std::uint64_t room = 0;
  for (const auto& [load, dispatch, index] : group.available) {
    const Worker& worker = workers_[index.value];
    if (room >= most || !worker.has_idle_slot()) break;
    room += worker.credit - worker.held();
  }
  return std::min(room, most);
}

void WorkerPool::refile_queue(QueueNumber number) {
  const Queue& queue = queues_[number];
  for (const GroupIndex index : queue.groups) {
    Group& group = groups_[index.value];
    if (queue.is_active()) {
      group.active.insert(number);
    } else {
      group.active.erase(number);
    }
    refile_group(index);
  }
}

QueueNumber WorkerPool::next_queue(Group& group) const {
  MILLRACE_CHECK(!group.active.empty(), "the group has an active queue");
  auto next = group.active.upper_bound(group.last_served);
  if (next == group.active.end()) next = group.active.begin();
  group.last_served = *next;
  return *next;
}

}  // namespace millrace::broker
