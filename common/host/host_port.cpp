#include "common/host/host_port.h"

#include <charconv>

#include "common/base/shown_text.h"

namespace millrace::host {
namespace {

Error bad_address(const std::string& text, const char* problem) {
  return {ErrorCode::misconfigured, "'" + shown_text(text) + "' is not an address (" + problem +
                                        "); write HOST, HOST:PORT, tcp://HOST:PORT or [IPV6]:PORT"};
}

bool all_of(std::string_view text, std::string_view punctuation) {
  for (const char c : text) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!word && punctuation.find(c) == std::string_view::npos) return false;
  }
  return !text.empty();
}

}  // namespace

Result<HostPort> parse_host_port(const std::string& text, std::uint16_t default_port) {
  constexpr std::string_view kScheme = "tcp://";
  std::string_view rest = text;
  if (rest.substr(0, kScheme.size()) == kScheme) rest.remove_prefix(kScheme.size());
  HostPort address;
  address.port = default_port;
  if (!rest.empty() && rest.front() == '[') {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) return bad_address(text, "no closing bracket");
    address.host = std::string(rest.substr(1, end - 1));
    rest.remove_prefix(end + 1);
    if (!all_of(address.host, ":.%-_") || address.host.find(':') == std::string::npos) {
      return bad_address(text, "brackets are for IPv6");
    }
  } else {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    address.host = std::string(rest.substr(0, end));
    rest.remove_prefix(end);
    if (address.host != "*" && !all_of(address.host, ".-_")) return bad_address(text, "bad host");
  }
  if (rest.empty()) return address;
  if (rest.front() != ':') return bad_address(text, "only a port may follow the host");
  rest.remove_prefix(1);
  const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), address.port);
  if (parsed.ec != std::errc() || parsed.ptr != rest.data() + rest.size() || address.port == 0) {
    return bad_address(text, "the port must be 1 to 65535");
  }
  return address;
}

std::string to_tcp_address(const HostPort& address) {
  const bool literal = address.host.find(':') != std::string::npos;
  return "tcp://" + (literal ? "[" + address.host + "]" : address.host) + ":" +
         std::to_string(address.port);
}

}  // namespace millrace::host
