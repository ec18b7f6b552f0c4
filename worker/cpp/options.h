// What millrace-worker can be told; the contract of its command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/host/exit_code.h"

namespace millrace::worker {

struct Options {
  std::string broker;
  std::string key;  // a file; empty: none
  std::vector<std::string> queues;
  std::uint32_t slots = 0;  // 0: one a processor
  std::string name;         // empty: host name and process id
  std::uint32_t prefetch = 1'000;
  Duration drain_timeout = Duration::seconds(30);
  Duration grace = Duration::seconds(5);
  Duration connect_timeout;  // zero: for ever
  bool verbose = false;
  std::string builtin;  // empty: run `program`
  std::string poison;
  std::string ledger;                // a file; empty: none
  std::vector<std::string> program;  // and its arguments
  std::string log_level = "info";
};

// Reads the command line, the environment and the file. Sets `exit_now` when there is nothing to
// run; an error has been printed then.
std::optional<Options> read_options(int argc, const char* const* argv, host::ExitCode& exit_now);

}  // namespace millrace::worker
