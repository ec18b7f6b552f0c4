#include "broker/store/store_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "broker/store/data_directory.h"
#include "broker/store/store_reader.h"
#include "broker/store/unfinished_store.h"

namespace millrace::broker {
namespace {

constexpr const char* kDataFile = "/data.mdb";

Error system_error(const std::string& doing, int code) {
  return Error{ErrorCode::io, "cannot " + doing + ": " + std::strerror(code)};
}

Status copy_durably(const std::string& from, const std::string& data_file) {
  const Result<std::unique_ptr<StoreReader>> source = StoreReader::open(from);
  if (!source.ok()) return source.error();
  const int file = ::open(data_file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return system_error("create " + data_file, errno);
  Status copied = (*source)->environment().copy_to(file);
  if (copied.ok() && ::fsync(file) != 0) copied = system_error("sync " + data_file, errno);
  ::close(file);
  return copied;
}

// Copies into `directory`, beside its data file, and checks; then the copy takes that one's place.
Result<StoreCheckSummary> copy_into(const DataDirectory& directory, const std::string& from,
                                    const ReportProblem& report) {
  const Result<UnfinishedStore> unfinished = UnfinishedStore::begin(directory);
  if (!unfinished.ok()) return unfinished.error();
  Status copied = copy_durably(from, unfinished->data_file());
  if (!copied.ok()) return copied.error();
  Result<StoreCheckSummary> summary = StoreCheckSummary();
  {
    const Result<std::unique_ptr<StoreReader>> copy = StoreReader::open(unfinished->path());
    if (!copy.ok()) return copy.error();
    summary = check_store(**copy, report);
  }
  if (!summary.ok()) return summary;
  if (summary->problems > 0) {
    return Error{ErrorCode::corrupt, "the copy of " + from + " has damage, so it was not kept: " +
                                         "millrace-broker fsck --data " + from + " says where"};
  }
  if (Status moved = unfinished->finish(directory); !moved.ok()) return moved.error();
  return summary;
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
  Result<StoreCheckSummary> summary = copy_into(*directory, from, report);
  // In place already when its name could not be made durable.
  if (!summary.ok()) ::unlink((to + kDataFile).c_str());
  return summary;
}

Result<Compaction> compact(const std::string& data, const ReportProblem& report) {
  // Asked first: the lock would make a directory that is not there.
  const Result<ByteCount> before = used_bytes(data);
  if (!before.ok()) return before.error();
  Result<DataDirectory> directory = DataDirectory::open(data);
  if (!directory.ok()) return directory.error();
  const Result<StoreCheckSummary> summary = copy_into(*directory, data, report);
  if (!summary.ok()) return summary.error();
  const Result<ByteCount> after = used_bytes(data);
  if (!after.ok()) return after.error();
  return Compaction{*before, *after};
}

}  // namespace millrace::broker
