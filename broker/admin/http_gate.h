// Who may do what over HTTP: a pure decision over the head of a request.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/admin/http_message.h"

namespace millrace::broker {

// What a route gives away or does. `open`: nothing that anybody might not know.
enum class HttpAccess : std::uint8_t { open, read, change };

// Who may read without the token.
enum class HttpReaders : std::uint8_t { loopback, anyone, nobody };

// Immutable; thread-safe.
class HttpGate {
 public:
  // `token`: what whoever changes something must show; it is not empty.
  HttpGate(std::string token, HttpReaders readers);
  // Lets everything pass: for tests of what lies behind.
  static HttpGate open_to_all() { return {}; }

  // Nothing when the request may pass, else the answer: 401 and what to do.
  std::optional<HttpResponse> refusal(const HttpRequest& request, HttpAccess access) const;

 private:
  HttpGate() = default;
  bool shows_token(const HttpRequest& request) const;
  bool may_read(const HttpRequest& request) const;

  std::string token_;  // empty: there is no gate
  HttpReaders readers_ = HttpReaders::anyone;
};

// Whether the request was made on this machine, as far as can be told: one that a proxy passed on
// (it says so with Forwarded or X-Forwarded-For) was not.
bool is_from_this_machine(const HttpRequest& request);

// Equal? Takes as long whatever the difference is.
bool same_secret(std::string_view one, std::string_view other);

}  // namespace millrace::broker
