// Whole copies of a data directory: backup of a running broker, restore, compaction.
#pragma once

#include <string>

#include "broker/store/store_check.h"

namespace millrace::broker {

// Copies the newest snapshot of the data directory `from` to the directory `to`, checks the copy,
// and makes it durable: a backup, or what is made of one. A broker may be running on `from` and
// goes on meanwhile. Errors: misconfigured when `to` has a data file already or is in use; corrupt
// when the copy has damage, each one reported; what a reader meets. After an error `to` holds no
// data file.
Result<StoreCheckSummary> copy_store(const std::string& from, const std::string& to,
                                     const ReportProblem& report);

// Rewrites the data file of a broker that is not running without its free pages. Errors as above;
// `data` then holds the file as it was, or as it is now: both are whole.
struct Compaction {
  ByteCount before;
  ByteCount after;
};
Result<Compaction> compact(const std::string& data, const ReportProblem& report);

}  // namespace millrace::broker
