#include "common/host/version.h"

namespace millrace::host {

std::string version() {
  return MILLRACE_VERSION;
}

}  // namespace millrace::host
