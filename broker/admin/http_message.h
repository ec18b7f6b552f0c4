// An HTTP exchange as plain values, so that what is answered can be decided and tested without a
// socket.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace millrace::broker {

struct HttpRequest {
  std::string method;   // "GET"
  std::string version;  // "1.1"
  std::string path;     // as sent, from the first '/' up to '?'; percent escapes kept
  std::string query;    // without '?'
  std::vector<std::pair<std::string, std::string>> headers;
};

struct HttpResponse {
  int status = 200;
  std::string content_type;
  std::string body;  // of a HEAD too: the server leaves it out and keeps its length
  std::vector<std::pair<std::string, std::string>> headers;  // beyond those every answer has
};

}  // namespace millrace::broker
