#include "broker/admin/http_gate.h"

#include <utility>

#include "broker/admin/http_answers.h"
#include "broker/admin/http_rules.h"
#include "common/base/check.h"

namespace millrace::broker {
namespace {

// The token in an Authorization header, RFC 6750; empty for another scheme.
std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() < kScheme.size()) return {};
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    const char c = authorization[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != kScheme[i]) return {};
  }
  return authorization.substr(kScheme.size());
}

HttpResponse unauthorized(const char* what) {
  HttpResponse response =
      error_answer(401, "unauthorized",
                   std::string(what) +
                       " needs the broker's token: curl -H @DATA/http-header, where DATA is the "
                       "broker's data directory, or send Authorization: Bearer TOKEN");
  response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"millrace\"");
  return response;
}

}  // namespace

HttpGate::HttpGate(std::string token, HttpReaders readers)
    : token_(std::move(token)), readers_(readers) {
  MILLRACE_CHECK(!token_.empty(), "a gate has a token");
}

std::optional<HttpResponse> HttpGate::refusal(const HttpRequest& request, HttpAccess access) const {
  if (token_.empty() || access == HttpAccess::open || shows_token(request)) return std::nullopt;
  if (access == HttpAccess::change) return unauthorized("what changes something");
  if (may_read(request)) return std::nullopt;
  return unauthorized("reading from another machine");
}

bool HttpGate::shows_token(const HttpRequest& request) const {
  const auto shown = header_values(request, "authorization");
  return shown.size() == 1 && same_secret(bearer_token(shown.front()), token_);
}

bool HttpGate::may_read(const HttpRequest& request) const {
  switch (readers_) {
    case HttpReaders::anyone:
      return true;
    case HttpReaders::loopback:
      return is_from_this_machine(request);
    case HttpReaders::nobody:
      break;
  }
  return false;
}

bool is_from_this_machine(const HttpRequest& request) {
  const bool forwarded = !header_values(request, "forwarded").empty() ||
                         !header_values(request, "x-forwarded-for").empty();
  return !forwarded && (request.peer.starts_with("127.") || request.peer == "::1");
}

bool same_secret(std::string_view one, std::string_view other) {
  unsigned difference = one.size() == other.size() ? 0 : 1;
  for (std::size_t i = 0; i < other.size(); ++i) {
    const char c = i < one.size() ? one[i] : '\0';
    difference |= static_cast<unsigned>(static_cast<unsigned char>(c ^ other[i]));
  }
  return difference == 0;
}

}  // namespace millrace::broker
