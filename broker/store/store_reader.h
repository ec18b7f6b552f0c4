// A data directory seen from outside: one snapshot, read-only, also while a broker runs on it.
#pragma once

#include <memory>
#include <string>

#include "broker/store/log_scan.h"
#include "broker/store/snapshot_reader.h"

namespace millrace::broker {

// One thread. As long as it lives, a broker that runs on the directory cannot use the pages of this
// snapshot again: keep it short.
class StoreReader {
 public:
  // How far the file is trusted. What reads a damaged file with `as_they_are` may end with a
  // signal.
  enum class Pages { checked, as_they_are };
  // Errors: not_found when there is no data file; misconfigured for one of another format or
  // program; corrupt; io. Nothing is changed.
  static Result<std::unique_ptr<StoreReader>> open(const std::string& directory,
                                                   Pages pages = Pages::checked);

  const lmdb::Environment& environment() const { return environment_; }
  const lmdb::Transaction& snapshot() const { return *snapshot_; }
  const Tables& tables() const { return tables_; }

 private:
  explicit StoreReader(lmdb::Environment environment) : environment_(std::move(environment)) {}

  lmdb::Environment environment_;
  std::optional<lmdb::Transaction> snapshot_;
  Tables tables_;
};

}  // namespace millrace::broker
