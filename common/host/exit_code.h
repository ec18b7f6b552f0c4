// The exit codes of every program.
#pragma once

namespace millrace::host {

enum class ExitCode : int {
  done = 0,
  work_failed = 1,        // the work itself did not fully succeed
  usage = 2,              // usage or configuration
  unreachable = 3,        // no broker in time
  store_failed = 74,      // EX_IOERR: a write or sync failed; restart recovers
  refused_to_start = 78,  // EX_CONFIG: unsafe or broken configuration
};

}  // namespace millrace::host
