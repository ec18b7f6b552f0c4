// Holds the sends of each turn until the turn is durable, fills in what lies in the store, encodes
// and hands them to the sockets. Never blocks, never queues for a peer: what a peer does not take
// is counted, and the core hears of it where it matters. One thread.
#pragma once

#include <deque>
#include <vector>

#include "broker/broker_sockets.h"
#include "broker/core/effect.h"
#include "broker/core/event.h"
#include "broker/peer_directory.h"
#include "broker/spec_cache.h"
#include "broker/status_board.h"
#include "broker/store/store.h"

namespace millrace::broker {

class Outbox {
 public:
  // All must outlive the outbox.
  Outbox(BrokerSockets& sockets, PeerDirectory& peers, Store& store, const StatusBoard& status,
         const BrokerConfig& config);

  // Keeps the specs of this turn for their dispatch.
  void remember_specs(const std::vector<Write>& writes);

  // Takes the turn's sends and forgotten peers; they leave when `batch` is durable, after all held
  // before them. `write_bytes`: what the turn gave the store, for the measure of what waits.
  void hold(BatchNumber batch, Effects& effects, ByteCount write_bytes);

  // Sends what `durable` allows. Peers that could not be reached become events of the next turn.
  void release(BatchNumber durable, std::vector<Event>& undelivered);

  bool empty() const { return turns_.empty(); }
  ByteCount held_write_bytes() const { return held_write_bytes_; }
  std::uint64_t sends_dropped() const { return sends_dropped_; }

 private:
  struct Turn {
    BatchNumber batch;
    std::vector<Send> sends;
    std::vector<PeerId> forgotten;
    ByteCount write_bytes;
  };
  // One message carries at most this much of specs or results, so that it stays below a frame.
  static constexpr std::size_t kBundleBytesMost = std::size_t{8} << 20;

  void deliver(ToClient& send, std::vector<Event>& undelivered);
  void deliver(ToWorker& send, std::vector<Event>& undelivered);
  void deliver(DispatchToWorker& send, std::vector<Event>& undelivered);
  void deliver(FinishedToClient& send, std::vector<Event>& undelivered);
  void deliver(TaskListToClient& send, std::vector<Event>& undelivered);
  void deliver(ExplainedToClient& send, std::vector<Event>& undelivered);
  void deliver(StatusToClient& send, std::vector<Event>& undelivered);
  void deliver(GoodbyeToAll& send, std::vector<Event>& undelivered);

  // Whether the client reads what it is sent; where it does not, a dropped send is counted.
  bool client_reads(PeerId peer);
  void to_client(PeerId peer, const ClientReply& reply);
  bool to_worker(PeerId peer, const WorkerReply& reply);
  void dispatch(PeerId peer, Dispatch& message, std::vector<Event>& undelivered);
  std::size_t read_attempts(TaskView& view, std::uint16_t first, std::uint16_t last);
  void fill(TaskView& view, const TaskListToClient& send, std::size_t at, std::size_t& bytes);

  BrokerSockets& sockets_;
  PeerDirectory& peers_;
  Store& store_;
  const StatusBoard& status_;
  SpecCache specs_;
  std::deque<Turn> turns_;
  ByteCount held_write_bytes_;
  std::uint64_t sends_dropped_ = 0;
};

}  // namespace millrace::broker
