#include "broker/store/store_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "broker/store/data_directory.h"

namespace millrace::broker {
namespace {

constexpr const char* kDataFile = "/data.mdb";
// A directory of its own, because LMDB opens directories; on the file system of its target.
constexpr const char* kUnfinished = "/unfinished-copy";

Error system_error(const std::string& doing, int code) {
  return Error{ErrorCode::io, "cannot " + doing + ": " + std::strerror(code)};
}

class UnfinishedCopy {
 public:
  explicit UnfinishedCopy(const std::string& directory) : path_(directory + kUnfinished) {}
  ~UnfinishedCopy() { remove(); }
  UnfinishedCopy(const UnfinishedCopy&) = delete;
  UnfinishedCopy& operator=(const UnfinishedCopy&) = delete;

  std::string data_file() const { return path_ + kDataFile; }

  // Of an attempt that was killed, too.
  void remove() const {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  // Copies, makes durable and checks.
  Result<StoreCheckSummary> make(const std::string& from, const ReportProblem& report) const {
    remove();
    if (::mkdir(path_.c_str(), 0700) != 0) return system_error("create " + path_, errno);
    if (Status copied = copy(from); !copied.ok()) return copied.error();
    const Result<std::unique_ptr<StoreReader>> copy = StoreReader::open(path_);
    if (!copy.ok()) return copy.error();
    const Result<StoreCheckSummary> summary = check_store(**copy, report);
    if (!summary.ok()) return summary.error();
    if (summary->problems > 0) {
      return Error{ErrorCode::corrupt, "the copy of " + from + " has damage, so it was not kept: " +
                                           "millrace-broker fsck --data " + from + " says where"};
    }
    return *summary;
  }

 private:
  Status copy(const std::string& from) const {
    const Result<std::unique_ptr<StoreReader>> source = StoreReader::open(from);
    if (!source.ok()) return source.error();
    const int file = ::open(data_file().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return system_error("create " + data_file(), errno);
    Status copied = (*source)->environment().copy_to(file);
    if (copied.ok() && ::fsync(file) != 0) copied = system_error("sync " + data_file(), errno);
    ::close(file);
    return copied;
  }

  std::string path_;
};

Status move_into_place(const UnfinishedCopy& copy, const DataDirectory& directory) {
  const std::string target = directory.path() + kDataFile;
  if (::rename(copy.data_file().c_str(), target.c_str()) != 0) {
    return system_error("rename " + copy.data_file(), errno);
  }
  return directory.sync_entries();
}

Result<ByteCount> used_bytes(const std::string& data) {
  const Result<std::unique_ptr<StoreReader>> reader = StoreReader::open(data);
  if (!reader.ok()) return reader.error();
  return (*reader)->environment().high_water();
}

}  // namespace

Result<StoreCheckSummary> copy_store(const std::string& from, const std::string& to,
                                     const ReportProblem& report) {
  Result<DataDirectory> directory = DataDirectory::open(to);
  if (!directory.ok()) return directory.error();
  struct stat file {};
  if (::stat((to + kDataFile).c_str(), &file) == 0) {
    return Error{ErrorCode::misconfigured,
                 to + " has a data.mdb already, which would be lost: name a directory without one"};
  }
  const UnfinishedCopy copy(to);
  Result<StoreCheckSummary> summary = copy.make(from, report);
  if (!summary.ok()) return summary;
  if (Status moved = move_into_place(copy, *directory); !moved.ok()) {
    ::unlink((to + kDataFile).c_str());  // in place already when its name could not be made durable
    return moved.error();
  }
  return summary;
}

Result<Compaction> compact(const std::string& data, const ReportProblem& report) {
  // Asked first: the lock would make a directory that is not there.
  const Result<ByteCount> before = used_bytes(data);
  if (!before.ok()) return before.error();
  Result<DataDirectory> directory = DataDirectory::open(data);
  if (!directory.ok()) return directory.error();
  {
    const UnfinishedCopy copy(data);
    const Result<StoreCheckSummary> summary = copy.make(data, report);
    if (!summary.ok()) return summary.error();
    if (Status moved = move_into_place(copy, *directory); !moved.ok()) return moved.error();
  }
  const Result<ByteCount> after = used_bytes(data);
  if (!after.ok()) return after.error();
  return Compaction{*before, *after};
}

}  // namespace millrace::broker
