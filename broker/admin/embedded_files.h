// Files that the build embeds: those of dashboard/ and openapi.json; see embed_files.cmake.
#pragma once

#include <string_view>

namespace millrace::broker {

std::string_view embedded_index_html();
std::string_view embedded_dashboard_css();
std::string_view embedded_dashboard_js();
std::string_view embedded_api_js();
std::string_view embedded_charts_js();
std::string_view embedded_format_js();
std::string_view embedded_overview_js();
std::string_view embedded_task_page_js();
std::string_view embedded_openapi_json();

}  // namespace millrace::broker
