// HTTP over a plain socket, so that the tests see every byte and may send what no client would.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace millrace::broker {

// A TCP connection to 127.0.0.1; closed on destruction.
class RawConnection {
 public:
  explicit RawConnection(std::uint16_t port);
  ~RawConnection();
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  bool connected() const { return descriptor_ >= 0; }
  // Sends as much as the peer takes; a reset by the peer is not an error here.
  void send(const std::string& bytes);
  void finish_sending();
  // Everything until the peer closes, or what came within 60 s.
  std::string read_all();

 private:
  int descriptor_ = -1;
};

struct RawResponse {
  int status = 0;                              // 0: no well-formed response
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};
RawResponse parse_response(const std::string& bytes);

// One exchange.
std::string round_trip(std::uint16_t port, const std::string& bytes);
RawResponse request(std::uint16_t port, const std::string& method, const std::string& target,
                    const std::string& more_headers = "");

}  // namespace millrace::broker
