// Sockets to events. What cannot be read is counted and, where it has a sender, answered; nothing
// is thrown, nothing is half taken. Each drain is bounded. One thread.
#pragma once

#include <vector>

#include "broker/access/access_guard.h"
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
  std::uint64_t forbidden = 0;       // refused or dropped: the key does not allow it
};

class Inbox {
 public:
  // All must outlive the inbox. `keeper`: null without keys.
  Inbox(BrokerSockets& sockets, PeerDirectory& peers, const AccessKeeper* keeper,
        const PeerLimits& limits);

  // Takes over a changed allowlist: peers whose key counts for nothing any more are forgotten, and
  // the core is told. Before the drains of a turn.
  void drain_revocations(std::vector<Event>& events);
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

  struct Sender {
    PeerId peer;
    Caller caller;
    bool is_new = false;  // first heard of with this message
  };
  // The next message that may be heard, and its sender; false when there is none.
  bool receive(zmq::socket_t& socket, PeerKind kind, Sender& sender, wire::Frames& frames);
  // The message was not taken: a sender that nothing else is known of is forgotten with the answer.
  template <class ToPeer>
  void refuse(const Sender& sender, RequestId request, const Error& error, Effects& out);

  BrokerSockets& sockets_;
  PeerDirectory& peers_;
  AccessGuard guard_;
  PeerLimits limits_;
  std::string user_id_;  // of the message at hand
  InboxCounters counters_;
};

}  // namespace millrace::broker
