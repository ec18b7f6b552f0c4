// What an operator may set about the store, and what happens when it cannot write any more.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace millrace::broker {

struct StoreSettings {
  // Created with mode 0700 when missing. One broker at a time; on a local file system (not NFS).
  std::string directory;
  // The most the data file may grow to; cut to the size of the file system. It costs address space
  // only: the file grows as it fills. From 1 MiB.
  ByteCount map_bytes_max = ByteCount::gibibytes(64);
  // Allocated on disk ahead of what is used, so that commits still succeed on a full disk.
  ByteCount disk_reserve = ByteCount::mebibytes(64);
  // Submits are refused from this fill of the map on, and accepted again below the second mark.
  // 1 <= resume_below_percent <= accept_below_percent <= 95.
  std::uint32_t accept_below_percent = 85;
  std::uint32_t resume_below_percent = 80;
};

// Errors: misconfigured, with a line that names the setting.
Status validate(const StoreSettings& settings);

// The exit status of a broker whose store could not write: EX_IOERR of sysexits.h.
inline constexpr int kStoreFailureExitStatus = 74;

// Called once, on the store's writer thread, when a write, commit or sync failed. What was in
// flight is unknown; the store acknowledges nothing afterwards, even if the handler returns.
using FailureHandler = std::function<void(const Error&)>;

// Prints one line to stderr and ends the process at once with kStoreFailureExitStatus.
[[noreturn]] void exit_on_store_failure(const Error& error);

}  // namespace millrace::broker
