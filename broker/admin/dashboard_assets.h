// The dashboard: a page, its style and its script, compiled in from dashboard/. The script asks the
// same routes as everybody else.
#pragma once

#include <string>
#include <string_view>

namespace millrace::broker {

struct DashboardAsset {
  std::string_view path;
  const char* content_type;
  std::string_view bytes;
};

// Everything from here, nothing from elsewhere, nothing inline (W3C CSP Level 3).
inline constexpr const char* kDashboardContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// The asset served at `path`, or null. Lives as long as the program.
const DashboardAsset* dashboard_asset(std::string_view path);

}  // namespace millrace::broker
