#include "broker/admin/dashboard_assets.h"

#include <array>

#include "broker/admin/embedded_files.h"

namespace millrace::broker {

const DashboardAsset* dashboard_asset(std::string_view path) {
  static const std::array<DashboardAsset, 3> kAssets = {{
      {"/", "text/html; charset=utf-8", embedded_index_html()},
      {"/dashboard.css", "text/css; charset=utf-8", embedded_dashboard_css()},
      {"/dashboard.js", "text/javascript; charset=utf-8", embedded_dashboard_js()},
  }};
  for (const DashboardAsset& asset : kAssets) {
    if (path == asset.path) return &asset;
  }
  return nullptr;
}

}  // namespace millrace::broker
