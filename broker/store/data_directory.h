// The data directory: made when missing, and held by one broker at a time.
#pragma once

#include <string>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace millrace::broker {

// Owns the lock on a data directory; lets go of it on destruction. The lock ends with the process
// in any case, however it ends.
class DataDirectory {
 public:
  // Creates `path` (mode 0700) with its parents, and locks it. Errors: misconfigured, with a line
  // that names the directory and, where known, the process that holds it.
  static Result<DataDirectory> open(const std::string& path);

  DataDirectory(DataDirectory&& other) noexcept
      : path_(std::move(other.path_)),
        created_(other.created_),
        lock_(std::exchange(other.lock_, -1)) {}
  DataDirectory& operator=(DataDirectory&&) = delete;
  ~DataDirectory();

  const std::string& path() const { return path_; }

  // Makes the entries of the directory, and that of a new directory in its parent, survive a power
  // cut. A sync of a file alone does not promise that its name is found again: fsync(2).
  Status sync_entries() const;

  // False: there never was one. Errors: corrupt, when there is one without content: LMDB would take
  // it for a new one; io.
  Result<bool> has_data_file() const;

 private:
  DataDirectory(std::string path, bool created) : path_(std::move(path)), created_(created) {}
  Status lock();

  std::string path_;
  bool created_ = false;
  int lock_ = -1;
};

// Bytes of the file system that holds `path`. Errors: io.
struct DiskSpace {
  ByteCount total;
  ByteCount free;  // for this user
};
Result<DiskSpace> disk_space_of(const std::string& path);

}  // namespace millrace::broker
