// The whole of a data directory held against itself: checksums, the log against the tables beside
// it, the books against a recount.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "broker/store/store_reader.h"

namespace millrace::broker {

struct StoreCheckSummary {
  std::uint64_t tasks = 0;
  std::uint64_t log_entries = 0;
  std::uint64_t values = 0;    // in tables beside the log
  std::uint64_t problems = 0;  // each was reported
};

// Calls `report` with one line for each damage, naming the task where it is known. Goes on behind
// damage. Errors: only where nothing more can be read.
using ReportProblem = std::function<void(const std::string&)>;
Result<StoreCheckSummary> check_store(const StoreReader& store, const ReportProblem& report);

}  // namespace millrace::broker
