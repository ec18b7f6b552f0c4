// A data file in the making, beside the place it is meant for: it appears there whole, or not at
// all.
#pragma once

#include <string>

#include "broker/store/data_directory.h"
#include "common/base/result.h"

namespace millrace::broker {

// A directory of its own within a data directory, because LMDB opens directories. Removed on
// destruction, with what is in it.
class UnfinishedStore {
 public:
  // Makes it anew: an attempt that was killed may have left one. Requires the lock on `directory`.
  static Result<UnfinishedStore> begin(const DataDirectory& directory);

  UnfinishedStore(UnfinishedStore&& other) noexcept;
  UnfinishedStore& operator=(UnfinishedStore&&) = delete;
  ~UnfinishedStore();

  const std::string& path() const { return path_; }
  std::string data_file() const;

  // Puts the data file, which must be durable, in the place of the one in `directory`, or where
  // there was none. Errors: io; then it is not known to be there after a power cut.
  Status finish(const DataDirectory& directory) const;

 private:
  explicit UnfinishedStore(std::string path) : path_(std::move(path)) {}
  void remove() const;

  std::string path_;
};

}  // namespace millrace::broker
