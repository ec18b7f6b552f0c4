// An HTTP exchange as plain values, so that what is answered can be decided and tested without a
// socket.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"

namespace millrace::broker {

struct HttpRequest {
  std::string method;   // "GET"
  std::string version;  // "1.1"
  std::string path;     // as sent, from the first '/' up to '?'; percent escapes kept
  std::string query;    // without '?'
  std::vector<std::pair<std::string, std::string>> headers;
  std::string peer = {};  // the IP address it came from
};

// The connection of a request, for those who need more of it than the head. Belongs to the thread
// that answers the request.
class HttpConnection {
 public:
  virtual ~HttpConnection() = default;
  // The body, whose head says that it has `bytes`. Once. Errors: unavailable when it does not come
  // whole and in time.
  virtual Result<std::string> read_body(std::uint64_t bytes) = 0;
  // True when nobody waits for the answer any more: the peer has closed, or the server stops. Never
  // blocks.
  virtual bool gone() = 0;
};

// Where an answer without an end is written.
class HttpStream {
 public:
  virtual ~HttpStream() = default;
  // Blocks while the peer is slow. False when it has read too slowly, has closed, or the server
  // stops: then there is nothing more to do.
  virtual bool write(std::string_view bytes) = 0;
};

struct HttpResponse {
  int status = 200;
  std::string content_type;
  std::string body;  // of a HEAD too: the server leaves it out and keeps its length
  std::vector<std::pair<std::string, std::string>> headers;  // beyond those every answer has
  // Called when the peer was gone before the answer was sent. Optional.
  std::function<void()> undelivered = {};
  // Instead of a body: writes until there is no more, or nobody to read it. It has the thread and
  // the connection for as long.
  std::function<void(HttpStream&)> stream = {};
};

}  // namespace millrace::broker
