#include "broker/admin/peer_watch.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>
#include <memory>
#include <utility>

namespace millrace::broker {

PeerWatch::PeerWatch(std::string remote_address, std::uint16_t remote_port,
                     std::uint16_t local_port)
    : remote_address_(std::move(remote_address)),
      remote_port_(remote_port),
      local_port_(local_port) {}

bool PeerWatch::gone() {
  if (descriptor_ < 0) descriptor_ = find();
  if (descriptor_ < 0) return true;
  pollfd item{descriptor_, POLLRDHUP, 0};
  return ::poll(&item, 1, 0) != 0 && (item.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

bool PeerWatch::is_ours(int descriptor) const {
  sockaddr_in peer{};
  sockaddr_in own{};
  socklen_t size = sizeof peer;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return false;
  if (peer.sin_family != AF_INET || ntohs(peer.sin_port) != remote_port_) return false;
  size = sizeof own;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &size) != 0) return false;
  in_addr remote{};
  return ntohs(own.sin_port) == local_port_ &&
         ::inet_pton(AF_INET, remote_address_.c_str(), &remote) == 1 &&
         peer.sin_addr.s_addr == remote.s_addr;
}

int PeerWatch::find() const {
  const auto close = [](DIR* folder) { ::closedir(folder); };
  const std::unique_ptr<DIR, decltype(close)> folder(::opendir("/proc/self/fd"), close);
  if (!folder) return -1;
  while (const dirent* entry = ::readdir(folder.get())) {
    const int descriptor = std::atoi(entry->d_name);
    if (descriptor > 0 && is_ours(descriptor)) return descriptor;
  }
  return -1;
}

}  // namespace millrace::broker
