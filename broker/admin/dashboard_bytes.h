// The files of dashboard/ as the build embeds them; see embed_files.cmake.
#pragma once

#include <string_view>

namespace millrace::broker {

std::string_view dashboard_bytes_index_html();
std::string_view dashboard_bytes_dashboard_css();
std::string_view dashboard_bytes_dashboard_js();

}  // namespace millrace::broker
