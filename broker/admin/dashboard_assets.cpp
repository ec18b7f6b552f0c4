#include "broker/admin/dashboard_assets.h"

#include <array>

#include "broker/admin/embedded_files.h"

namespace millrace::broker {

const DashboardAsset* dashboard_asset(std::string_view path) {
  static constexpr const char* kScript = "text/javascript; charset=utf-8";
  static const std::array<DashboardAsset, 8> kAssets = {{
      {"/", "text/html; charset=utf-8", embedded_index_html()},
      {"/dashboard.css", "text/css; charset=utf-8", embedded_dashboard_css()},
      {"/dashboard.js", kScript, embedded_dashboard_js()},
      {"/api.js", kScript, embedded_api_js()},
      {"/charts.js", kScript, embedded_charts_js()},
      {"/format.js", kScript, embedded_format_js()},
      {"/overview.js", kScript, embedded_overview_js()},
      {"/task_page.js", kScript, embedded_task_page_js()},
  }};
  for (const DashboardAsset& asset : kAssets) {
    if (path == asset.path) return &asset;
  }
  return nullptr;
}

}  // namespace millrace::broker
