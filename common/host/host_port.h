// Addresses as people write them.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace millrace::host {

// "HOST", "HOST:PORT", "tcp://HOST:PORT", "[::1]:PORT". Errors: misconfigured.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
Result<HostPort> parse_host_port(const std::string& text, std::uint16_t default_port);
// "tcp://host:port" for ZeroMQ.
std::string to_tcp_address(const HostPort& address);

}  // namespace millrace::host
