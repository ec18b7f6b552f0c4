#include "tests/unit/admin/raw_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cstdlib>

namespace millrace::broker {

RawConnection::RawConnection(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  if (descriptor < 0) return;
  const timeval deadline{60, 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    descriptor_ = descriptor;
  } else {
    ::close(descriptor);
  }
}

RawConnection::~RawConnection() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void RawConnection::send(const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t sent = ::send(descriptor_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (sent <= 0) return;
    at += static_cast<std::size_t>(sent);
  }
}

void RawConnection::finish_sending() {
  ::shutdown(descriptor_, SHUT_WR);
}

std::string RawConnection::read_all() {
  std::string bytes;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t got = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (got <= 0) return bytes;
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

RawResponse parse_response(const std::string& bytes) {
  RawResponse response;
  const std::size_t head_end = bytes.find("\r\n\r\n");
  if (!bytes.starts_with("HTTP/1.1 ") || head_end == std::string::npos) return response;
  response.status = std::atoi(bytes.c_str() + 9);
  response.body = bytes.substr(head_end + 4);
  std::size_t at = bytes.find("\r\n") + 2;
  while (at < head_end + 2) {
    const std::size_t end = bytes.find("\r\n", at);
    const std::size_t colon = bytes.find(": ", at);
    if (colon == std::string::npos || colon > end) return RawResponse();
    std::string name = bytes.substr(at, colon - at);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    response.headers[name] = bytes.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  return response;
}

std::string round_trip(std::uint16_t port, const std::string& bytes) {
  RawConnection connection(port);
  if (!connection.connected()) return "";
  connection.send(bytes);
  return connection.read_all();
}

RawResponse request(std::uint16_t port, const std::string& method, const std::string& target,
                    const std::string& more_headers) {
  return parse_response(round_trip(
      port, method + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + more_headers + "\r\n"));
}

}  // namespace millrace::broker
