// Whether the peer of a connection that somebody else owns is still there. CivetWeb tells a handler
// both addresses of its connection, but not its descriptor.
#pragma once

#include <cstdint>
#include <string>

namespace millrace::broker {

// Belongs to the thread that answers the connection's request, while it does: the connection stays
// open that long, so its descriptor cannot become another's.
class PeerWatch {
 public:
  // The TCP connection from `remote_address`, an IPv4 literal, to this process.
  PeerWatch(std::string remote_address, std::uint16_t remote_port, std::uint16_t local_port);

  // True once the peer has closed its sending side, or the connection is broken or not found. Never
  // blocks.
  bool gone();

 private:
  bool is_ours(int descriptor) const;
  int find() const;

  const std::string remote_address_;
  const std::uint16_t remote_port_;
  const std::uint16_t local_port_;
  int descriptor_ = -1;  // not known yet
};

}  // namespace millrace::broker
