// Sockets to events. What cannot be read is counted and, where it has a sender, answered; nothing
// is thrown, nothing is half taken. Each drain is bounded. One thread.
#pragma once

#include <vector>

#include "broker/broker_sockets.h"
#include "broker/core/effect.h"
#include "broker/core/event.h"
#include "broker/peer_directory.h"
#include "common/wire/socket.h"

namespace millrace::broker {

struct InboxCounters {
  std::uint64_t messages = 0;
  std::uint64_t bad_messages = 0;    // dropped: could not be read
  std::uint64_t unread_answers = 0;  // dropped: the client does not read what it is answered
};

class Inbox {
 public:
  // Both must outlive the inbox.
  Inbox(BrokerSockets& sockets, PeerDirectory& peers, const PeerLimits& limits);

  // Each appends events, at most its bound. Refusals of unreadable messages go to `out.sends`.
  void drain_beats(std::vector<Event>& events);
  void drain_workers(std::vector<Event>& events, Effects& out);
  void drain_clients(std::vector<Event>& events, Effects& out);

  const InboxCounters& counters() const { return counters_; }

 private:
  // Messages taken in one turn from one socket.
  static constexpr int kBeatsMost = 10'000;
  static constexpr int kWorkerMessagesMost = 1'000;
  static constexpr int kClientMessagesMost = 500;
  // Tasks that a turn's client messages name or ask for. Others, workers above all, wait meanwhile.
  static constexpr std::size_t kClientTasksMost = 20'000;
  // Bytes taken in one turn from one socket: a turn is one commit.
  static constexpr std::size_t kBytesMost = std::size_t{16} << 20;

  // The next message and its sender; false when there is none.
  bool receive(zmq::socket_t& socket, PeerKind kind, PeerId& peer, wire::Frames& frames);

  BrokerSockets& sockets_;
  PeerDirectory& peers_;
  PeerLimits limits_;
  InboxCounters counters_;
};

}  // namespace millrace::broker
