#include "broker/admin/http_rules.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace millrace::broker {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Takes the part before `separator` off the front of `rest`.
std::string_view take_until(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

bool is_port(std::string_view text) {
  return text.empty() || parse_number(text, 65'535);
}

bool is_ip_literal(int family, std::string_view text) {
  unsigned char address[sizeof(in6_addr)];
  return inet_pton(family, std::string(text).c_str(), address) == 1;
}

bool is_label(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    const char l = lower(c);
    return (l >= 'a' && l <= 'z') || (l >= '0' && l <= '9') || l == '-' || l == '_';
  });
}

int hex_digit(char c) {
  const char l = lower(c);
  if (l >= '0' && l <= '9') return l - '0';
  if (l >= 'a' && l <= 'f') return l - 'a' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool room = at + 2 < text.size();
    const int high = room ? hex_digit(text[at + 1]) : -1;
    const int low = room ? hex_digit(text[at + 2]) : -1;
    if (text[at] == '%' && high >= 0 && low >= 0) {
      decoded.push_back(static_cast<char>(high * 16 + low));
      at += 2;
    } else {
      decoded.push_back(text[at] == '+' ? ' ' : text[at]);
    }
  }
  return decoded;
}

// The weight of a media range, RFC 9110 section 12.4.2; 1 without one, 0 for a broken one.
double quality_of(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view value = trimmed(take_until(parameters, ';'));
    const std::string_view key = trimmed(take_until(value, '='));
    if (!same_name(key, "q")) continue;
    value = trimmed(value);
    double quality = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), quality);
    const bool whole = parsed.ec == std::errc() && parsed.ptr == value.data() + value.size();
    return whole && std::isfinite(quality) ? std::clamp(quality, 0.0, 1.0) : 0.0;
  }
  return 1.0;
}

}  // namespace

std::vector<std::string_view> header_values(const HttpRequest& request, std::string_view name) {
  std::vector<std::string_view> values;
  for (const auto& header : request.headers) {
    if (same_name(header.first, name)) values.push_back(trimmed(header.second));
  }
  return values;
}

bool host_allowed(std::string_view host, const std::vector<std::string>& allowed) {
  if (!host.empty() && host.front() == '[') {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view after = host.substr(end + 1);
    const bool port_ok = after.empty() || (after.front() == ':' && is_port(after.substr(1)));
    return port_ok && is_ip_literal(AF_INET6, host.substr(1, end - 1));
  }
  std::string_view port = host;
  const std::string_view name = take_until(port, ':');
  if (!is_port(port)) return false;
  if (is_label(name) || is_ip_literal(AF_INET, name)) return true;
  return !name.empty() && std::any_of(allowed.begin(), allowed.end(),
                                      [&](const std::string& one) { return same_name(name, one); });
}

bool prefers_prometheus(std::string_view accept) {
  double prometheus = 0;
  double json = 0;
  while (!accept.empty()) {
    std::string_view parameters = take_until(accept, ',');
    const std::string_view type = trimmed(take_until(parameters, ';'));
    if (same_name(type, "text/plain") || same_name(type, "application/openmetrics-text")) {
      prometheus = std::max(prometheus, quality_of(parameters));
    } else if (same_name(type, "application/json")) {
      json = std::max(json, quality_of(parameters));
    }
  }
  return prometheus > json;
}

std::optional<std::string> query_parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    std::string_view value = take_until(query, '&');
    if (percent_decoded(take_until(value, '=')) == name) return percent_decoded(value);
  }
  return std::nullopt;
}

std::vector<std::string> query_names(std::string_view query) {
  std::vector<std::string> names;
  while (!query.empty()) {
    std::string_view parameter = take_until(query, '&');
    if (!parameter.empty()) names.push_back(percent_decoded(take_until(parameter, '=')));
  }
  return names;
}

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t max) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  if (text.empty() || !whole || value > max) return std::nullopt;
  return value;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return status < 500 ? "Bad Request" : "Internal Server Error";
  }
}

}  // namespace millrace::broker
