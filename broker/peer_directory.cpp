#include "broker/peer_directory.h"

#include <utility>

namespace millrace::broker {

PeerId PeerDirectory::intern(PeerKind kind, std::string_view routing_id, KeyNumber key) {
  Numbers& numbers = numbers_of(kind);
  const auto found = numbers.find(routing_id);
  if (found != numbers.end()) {
    return routes_.at(found->second).key == key ? found->second : PeerId();
  }
  const PeerId peer(++last_);
  numbers.emplace(std::string(routing_id), peer);
  routes_.emplace(peer, Route{kind, std::string(routing_id), key, {}});
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

bool PeerDirectory::reads(PeerId peer) const {
  const Route* route = find(peer);
  const bool plenty = unsent_total_.value() <= limits_.total_max;
  return route != nullptr &&
         route->unsent.value() <= (plenty ? limits_.peer_max : limits_.peer_least);
}

SharedBytes PeerDirectory::counted(const Route& route, SharedBytes frame) const {
  return unsent_total_.counted(route.unsent.counted(std::move(frame)));
}

}  // namespace millrace::broker
