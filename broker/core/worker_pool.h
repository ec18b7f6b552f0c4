// The connected workers, grouped by the queues they serve, ordered by how free they are. Knows
// nothing of tasks but their number. Not thread-safe.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "broker/core/event.h"
#include "broker/core/queue_table.h"

namespace millrace::broker {

struct Worker {
  WorkerIndex index;
  WorkerId id;
  PeerId peer;
  KeyNumber key;  // the one it said hello under
  SessionNonce session;
  std::string name;
  SharedBytes shared_name;  // the same, for records
  std::string version;
  std::uint64_t hello_number = 0;
  std::uint32_t slots = 1;
  std::uint32_t credit = 0;
  GroupIndex group;
  TaskChain leases;  // in order of dispatch
  bool exists = false;
  bool draining = false;
  bool parked = false;  // a message could not be handed over: nothing more until `parked_until`
  Time parked_until;
  Time last_heard;        // on the lease clock
  Time silence_deadline;  // its key in by_silence; at or before last_heard + silence_max
  Time connected;
  std::uint64_t last_dispatch = 0;  // least recently served first among equals
  std::uint64_t recall_number = 0;  // not answered yet; 0: none
  std::uint64_t tasks_completed = 0;
  std::uint64_t tasks_failed = 0;
  Duration busy_time;
  std::uint32_t dispatch_slot = 0;  // this turn's DispatchToWorker, from 1

  // Where the pool has filed it; see WorkerPool::refile.
  std::uint64_t filed_load = 0;
  std::uint64_t filed_dispatch = 0;
  bool filed_available = false;
  std::uint64_t filed_surplus = 0;

  std::uint32_t held() const { return static_cast<std::uint32_t>(leases.count); }
  bool has_idle_slot() const { return held() < slots && held() < credit; }
  bool takes_work() const { return !draining && !parked && held() < credit; }
  // Leases that cannot be running yet.
  std::uint64_t surplus() const { return held() > slots ? held() - slots : 0; }
};

// Workers that serve exactly the same queues.
struct Group {
  std::vector<QueueNumber> queues;  // ascending
  // (load in thousandths of the slots, last dispatch, worker): the freest first.
  std::set<std::tuple<std::uint64_t, std::uint64_t, WorkerIndex>> available;
  std::set<std::pair<std::uint64_t, WorkerIndex>> surplus;  // with prefetched, unstarted tasks
  std::set<QueueNumber> active;  // queues with work that may be given out
  QueueNumber last_served;       // round robin
  std::uint32_t members = 0;

  bool is_matchable() const { return !available.empty() && !active.empty(); }
};

class WorkerPool {
 public:
  explicit WorkerPool(QueueTable& queues) : queues_(queues) {}

  // A worker that is not connected yet; `queues` need not be sorted and must not be empty.
  WorkerIndex add(const WorkerId& id, PeerId peer, std::vector<QueueNumber> queues);
  // Its leases must be gone.
  void remove(WorkerIndex index);
  // It came back over another connection or with other queues.
  void set_peer(WorkerIndex index, PeerId peer);
  void set_queues(WorkerIndex index, std::vector<QueueNumber> queues);

  WorkerIndex find(const WorkerId& id) const;
  WorkerIndex find_peer(PeerId peer) const;
  Worker& operator[](WorkerIndex index) { return workers_[index.value]; }
  const Worker& operator[](WorkerIndex index) const { return workers_[index.value]; }
  std::size_t size() const { return by_id_.size(); }
  const std::map<WorkerId, WorkerIndex>& by_id() const { return by_id_; }

  // Must follow every change of what a worker's order depends on: held(), credit, draining, parked,
  // last_dispatch.
  void refile(WorkerIndex index);
  // The same, with the next call of refile_noted(): for many changes in a row.
  void note_change(WorkerIndex index);
  void refile_noted();
  // Must follow every change of a queue's is_active().
  void refile_queue(QueueNumber number);

  // Groups that have both a worker that takes work and a queue that has some, ascending.
  const std::set<GroupIndex>& matchable() const { return matchable_; }
  // Groups whose freest worker has an idle slot, and groups that hold tasks ahead of their slots.
  const std::set<GroupIndex>& with_idle_slot() const { return with_idle_slot_; }
  const std::set<GroupIndex>& with_surplus() const { return with_surplus_; }
  // How many more tasks the idle workers of the group would take, at most `most`.
  std::uint64_t idle_room(const Group& group, std::uint64_t most) const;
  Group& group(GroupIndex index) { return groups_[index.value]; }
  const Group& group(GroupIndex index) const { return groups_[index.value]; }
  // One past the last group.
  std::uint32_t end_group() const { return static_cast<std::uint32_t>(groups_.size()); }
  // The next active queue of the group, round robin; requires one.
  QueueNumber next_queue(Group& group) const;

  // Silence deadlines in order; the earliest first.
  std::set<std::pair<Time, WorkerIndex>>& by_silence() { return by_silence_; }
  const std::set<std::pair<Time, WorkerIndex>>& by_silence() const { return by_silence_; }

 private:
  GroupIndex join_group(std::vector<QueueNumber> queues);
  void leave_group(WorkerIndex index);
  void refile_group(GroupIndex index);
  void unfile(Worker& worker);
  bool has_idle_slot(const Group& group) const {
    return !group.available.empty() &&
           workers_[std::get<2>(*group.available.begin()).value].has_idle_slot();
  }

  QueueTable& queues_;
  std::vector<Worker> workers_ = std::vector<Worker>(1);  // index 0 is none
  std::vector<std::uint32_t> free_;
  std::map<WorkerId, WorkerIndex> by_id_;
  std::unordered_map<PeerId, WorkerIndex> by_peer_;
  std::vector<Group> groups_ = std::vector<Group>(1);
  std::map<std::vector<QueueNumber>, GroupIndex> group_of_;
  std::vector<GroupIndex> free_groups_;
  std::set<GroupIndex> matchable_;
  std::set<GroupIndex> with_idle_slot_;
  std::set<GroupIndex> with_surplus_;
  std::vector<WorkerIndex> noted_;
  std::set<std::pair<Time, WorkerIndex>> by_silence_;
};

}  // namespace millrace::broker
