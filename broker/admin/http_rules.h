// The rules of HTTP that the admin server depends on (RFC 9110, 9112). Pure functions; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/admin/http_message.h"

namespace millrace::broker {

// The values of all headers called `name` (lower case), in order.
std::vector<std::string_view> header_values(const HttpRequest& request, std::string_view name);

// Whether a request with this Host header may be answered. Against DNS rebinding: a web page that
// makes its own name point here still sends that name. Allowed are IP literals, names without a dot
// (localhost, a Compose service: nobody can register them) and the names in `allowed`, which are
// compared without case; each with or without a port. Anything malformed is not.
bool host_allowed(std::string_view host, const std::vector<std::string>& allowed);

// Whether an Accept header asks for the Prometheus text format: it names text/plain or OpenMetrics,
// and does not name JSON with the same or a higher quality. Wildcards ask for nothing.
bool prefers_prometheus(std::string_view accept);

// The percent-decoded value of the first parameter `name`, "+" read as a space; nothing when it is
// not there. A broken escape stays as it is.
std::optional<std::string> query_parameter(std::string_view query, std::string_view name);

// The percent-decoded names of all parameters, in order.
std::vector<std::string> query_names(std::string_view query);

// Digits only, no sign, at most `max`; nothing otherwise.
std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t max);

// The words of a status line, e.g. "Not Found".
std::string_view reason_phrase(int status);

}  // namespace millrace::broker
