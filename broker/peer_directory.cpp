#include "broker/peer_directory.h"

namespace millrace::broker {

PeerId PeerDirectory::intern(PeerKind kind, std::string_view routing_id) {
  Numbers& numbers = numbers_of(kind);
  const auto found = numbers.find(routing_id);
  if (found != numbers.end()) return found->second;
  const PeerId peer(++last_);
  numbers.emplace(std::string(routing_id), peer);
  routes_.emplace(peer, Route{kind, std::string(routing_id)});
  return peer;
}

const PeerDirectory::Route* PeerDirectory::find(PeerId peer) const {
  const auto found = routes_.find(peer);
  return found == routes_.end() ? nullptr : &found->second;
}

void PeerDirectory::forget(PeerId peer) {
  const auto found = routes_.find(peer);
  if (found == routes_.end()) return;
  numbers_of(found->second.kind).erase(found->second.routing_id);
  routes_.erase(found);
}

}  // namespace millrace::broker
