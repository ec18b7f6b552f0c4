// Connections by number: the core speaks of PeerId, the ROUTERs of routing ids. One thread.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "broker/core/event.h"
#include "broker/unsent_bytes.h"
#include "common/base/ids.h"

namespace millrace::broker {

enum class PeerKind : std::uint8_t { client, worker };

class PeerDirectory {
 public:
  explicit PeerDirectory(UnsentLimits limits) : limits_(limits) {}

  struct Route {
    PeerKind kind = PeerKind::client;
    std::string routing_id;
    KeyNumber key;
    UnsentBytes unsent;
  };

  // The number of this connection; a new one on first sight. None when the routing id belongs to a
  // connection with another key.
  PeerId intern(PeerKind kind, std::string_view routing_id, KeyNumber key = {});
  // Null when the peer is forgotten. Valid until the next intern or forget.
  const Route* find(PeerId peer) const;
  void forget(PeerId peer);
  // Whether the peer is known and reads what it is sent.
  bool reads(PeerId peer) const;
  // The same frame, counted as unsent to this peer until the transport lets go of it.
  SharedBytes counted(const Route& route, SharedBytes frame) const;
  std::size_t size() const { return routes_.size(); }

  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [peer, route] : routes_) visit(peer, route);
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  using Numbers = std::unordered_map<std::string, PeerId, Hash, std::equal_to<>>;

  Numbers& numbers_of(PeerKind kind) { return kind == PeerKind::client ? clients_ : workers_; }

  Numbers clients_;
  Numbers workers_;
  std::unordered_map<PeerId, Route> routes_;
  std::uint64_t last_ = 0;
  const UnsentLimits limits_;
  UnsentBytes unsent_total_;
};

}  // namespace millrace::broker
