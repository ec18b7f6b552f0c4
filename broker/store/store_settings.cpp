#include "broker/store/store_settings.h"

#include <unistd.h>

#include <cstdio>

namespace millrace::broker {

Status validate(const StoreSettings& settings) {
  const auto misconfigured = [](std::string message) {
    return Status(Error{ErrorCode::misconfigured, std::move(message)});
  };
  if (settings.directory.empty()) {
    return misconfigured("no data directory is given: name one with --data");
  }
  if (settings.map_bytes_max < ByteCount::mebibytes(1)) {
    return misconfigured("the store's size limit is below 1 MiB: give it more");
  }
  if (settings.resume_below_percent < 1 ||
      settings.resume_below_percent > settings.accept_below_percent ||
      settings.accept_below_percent > 95) {
    return misconfigured(
        "the store's watermarks must satisfy 1 <= resume <= accept <= 95 percent: they are " +
        std::to_string(settings.resume_below_percent) + " and " +
        std::to_string(settings.accept_below_percent));
  }
  return Done{};
}

void exit_on_store_failure(const Error& error) {
  std::fprintf(stderr,
               "millrace-broker: the store cannot write, so the broker stops: %s; nothing "
               "acknowledged is lost: fix the disk and start it again\n",
               error.message.c_str());
  std::fflush(stderr);
  ::_exit(kStoreFailureExitStatus);
}

}  // namespace millrace::broker
