#include "broker/store/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace millrace::broker {
namespace {

Error directory_error(const std::string& path, const std::string& problem) {
  return Error{ErrorCode::misconfigured, "data directory " + path + ": " + problem};
}

// The process id its holder wrote into the lock file; empty when it cannot be read.
std::string holder_of(int lock) {
  std::array<char, 16> text{};
  const ssize_t size = ::pread(lock, text.data(), text.size(), 0);
  std::string holder;
  for (ssize_t i = 0; i < size; ++i) {
    const char c = text[static_cast<std::size_t>(i)];
    if (c < '0' || c > '9') break;
    holder.push_back(c);
  }
  return holder;
}

Status sync_directory(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int code = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (synced) return Done{};
  return Error{ErrorCode::io, "cannot sync directory " + path + ": " + std::strerror(code)};
}

}  // namespace

Result<DataDirectory> DataDirectory::open(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  std::error_code problem;
  if (!parent.empty()) std::filesystem::create_directories(parent, problem);
  if (problem) return directory_error(path, "cannot create its parents: " + problem.message());
  const bool created = ::mkdir(path.c_str(), 0700) == 0;
  if (!created && errno != EEXIST) {
    return directory_error(path, std::string("cannot create it: ") + std::strerror(errno));
  }
  DataDirectory directory(path, created);
  if (Status locked = directory.lock(); !locked.ok()) return locked.error();
  return directory;
}

Status DataDirectory::lock() {
  const std::string file = path_ + "/LOCK";
  lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) {
    return directory_error(path_, std::string("cannot open LOCK: ") + std::strerror(errno) +
                                      "; it must be a directory this user may write");
  }
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return directory_error(path_, std::string("cannot lock it: ") + std::strerror(errno));
    }
    const std::string holder = holder_of(lock_);
    return directory_error(path_, "another broker is using it" +
                                      (holder.empty() ? "" : " (process " + holder + ")") +
                                      "; stop that one or choose another directory");
  }
  // For the message above only; the lock itself is the kernel's.
  const std::string owner = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock_, 0) != 0 ||
      ::pwrite(lock_, owner.data(), owner.size(), 0) != static_cast<ssize_t>(owner.size())) {
    // On a full disk the lock works without the note.
    return Done{};
  }
  return Done{};
}

DataDirectory::~DataDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

Status DataDirectory::sync_entries() const {
  if (Status own = sync_directory(path_); !own.ok()) return own;
  if (!created_) return Done{};
  const std::filesystem::path parent = std::filesystem::path(path_).parent_path();
  return sync_directory(parent.empty() ? "." : parent.string());
}

Result<bool> DataDirectory::has_data_file() const {
  struct stat file {};
  if (::stat((path_ + "/data.mdb").c_str(), &file) != 0) {
    if (errno == ENOENT) return false;
    return Error{ErrorCode::io,
                 "cannot look at data.mdb in " + path_ + ": " + std::strerror(errno)};
  }
  if (file.st_size > 0) return true;
  return Error{ErrorCode::corrupt,
               "data directory " + path_ +
                   ": data.mdb is empty; restore it from a backup, or remove it to start anew"};
}

Result<DiskSpace> disk_space_of(const std::string& path) {
  struct statvfs space {};
  if (::statvfs(path.c_str(), &space) != 0) {
    return Error{ErrorCode::io,
                 "cannot read the free space of " + path + ": " + std::strerror(errno)};
  }
  return DiskSpace{ByteCount(static_cast<std::uint64_t>(space.f_blocks) * space.f_frsize),
                   ByteCount(static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize)};
}

}  // namespace millrace::broker
