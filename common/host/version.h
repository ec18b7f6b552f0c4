// The version of this build.
#pragma once

#include <string>

namespace millrace::host {

// "0.1.0", as in CMakeLists.txt.
std::string version();

}  // namespace millrace::host
