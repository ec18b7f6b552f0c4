#include "broker/store/unfinished_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace millrace::broker {
namespace {

constexpr const char* kName = "/unfinished-copy";
constexpr const char* kDataFile = "/data.mdb";
constexpr const char* kReaderTable = "/lock.mdb";

Error system_error(const std::string& doing, int code) {
  return Error{code == ENOSPC || code == EDQUOT ? ErrorCode::store_full : ErrorCode::io,
               "cannot " + doing + ": " + std::strerror(code)};
}

}  // namespace

Result<UnfinishedStore> UnfinishedStore::begin(const DataDirectory& directory) {
  UnfinishedStore store(directory.path() + kName);
  store.remove();
  if (::mkdir(store.path_.c_str(), 0700) != 0) {
    const int code = errno;
    return system_error("create " + store.path_, code);
  }
  return store;
}

UnfinishedStore::UnfinishedStore(UnfinishedStore&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

UnfinishedStore::~UnfinishedStore() {
  if (!path_.empty()) remove();
}

std::string UnfinishedStore::data_file() const {
  return path_ + kDataFile;
}

// What cannot be removed is in the way of the next attempt, which then says so.
void UnfinishedStore::remove() const {
  ::unlink(data_file().c_str());
  ::unlink((path_ + kReaderTable).c_str());
  ::rmdir(path_.c_str());
}

Status UnfinishedStore::finish(const DataDirectory& directory) const {
  const std::string target = directory.path() + kDataFile;
  if (std::rename(data_file().c_str(), target.c_str()) != 0) {
    const int code = errno;
    return system_error("rename " + data_file(), code);
  }
  return directory.sync_entries();
}

}  // namespace millrace::broker
