// Short names for ids, so that scenarios and traces speak of "a" and "w1".
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <string_view>

#include "common/base/ids.h"

namespace millrace::broker::test {

// A name of at most 16 characters as the id itself.
template <class IdType>
IdType id_named(std::string_view name) {
  IdType id;
  std::copy_n(name.begin(), std::min(name.size(), id.bytes.size()), id.bytes.begin());
  return id;
}

template <class Tag>
std::string name_of_id(const Id128<Tag>& id) {
  const auto end = std::find(id.bytes.begin(), id.bytes.end(), std::uint8_t{0});
  return std::string(id.bytes.begin(), end);
}

// The connections of the peers: "w1" is its first, "w1/2" the one after a reconnect.
class PeerNames {
 public:
  // The connection the named peer uses now; made on first use.
  PeerId peer(const std::string& name) {
    const auto found = current_.find(name);
    return found == current_.end() ? reconnect(name) : found->second;
  }
  PeerId reconnect(const std::string& name) {
    const PeerId peer(next_++);
    const int number = ++connections_[name];
    current_[name] = peer;
    names_[peer] = number == 1 ? name : name + "/" + std::to_string(number);
    return peer;
  }
  std::string name(PeerId peer) const {
    const auto found = names_.find(peer);
    return found == names_.end() ? "?" : found->second;
  }

 private:
  std::uint64_t next_ = 1;
  std::map<std::string, PeerId> current_;
  std::map<std::string, int> connections_;
  std::map<PeerId, std::string> names_;
};

}  // namespace millrace::broker::test
