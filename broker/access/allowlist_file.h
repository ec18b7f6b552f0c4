// The allowlist as a file that people change while the broker runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "broker/access/allowlist.h"

namespace millrace::broker {

// For one thread.
class AllowlistFile {
 public:
  explicit AllowlistFile(std::string path) : path_(std::move(path)) {}

  // Reads it now. Errors: misconfigured with file, line and fix: it is not there, cannot be
  // understood, or may be written by others than its owner.
  Result<Allowlist> read();

  // To be called again and again: what reading gave, once after each change of the file (a good
  // one, a broken one, its end). A file that is still being written is left to settle until two
  // calls in a row see the same.
  std::optional<Result<Allowlist>> read_if_changed();

  const std::string& path() const { return path_; }

 private:
  // Tells one version of the file from another.
  struct Stamp {
    bool exists = false;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t bytes = 0;
    std::int64_t changed_seconds = 0;
    std::int64_t changed_nanoseconds = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  Stamp stamp() const;

  const std::string path_;
  Stamp read_;  // as it was when it was read
  Stamp seen_;  // by the call before
};

}  // namespace millrace::broker
