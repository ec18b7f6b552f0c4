#include "broker/store/preallocation.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace millrace::broker {
namespace {

// How much is allocated at once, beyond the reserve: larger steps are rarer pauses of the writer.
constexpr ByteCount kStep = ByteCount::mebibytes(64);

Error io_error(const char* doing, int code) {
  return Error{ErrorCode::io,
               std::string("cannot ") + doing + " the data file: " + std::strerror(code)};
}

}  // namespace

Status Preallocation::measure() {
  struct stat file {};
  if (::fstat(descriptor_, &file) != 0) return io_error("measure", errno);
  constexpr std::uint64_t kBlockBytes = 512;  // the unit of st_blocks, see stat(2)
  allocated_ = ByteCount(std::min(static_cast<std::uint64_t>(file.st_size),
                                  static_cast<std::uint64_t>(file.st_blocks) * kBlockBytes));
  measured_ = true;
  return Done{};
}

Result<bool> Preallocation::allocate_up_to(ByteCount end) {
  int outcome = 0;
  do {
    // Not posix_fallocate: where the file system cannot do it, that one writes into every block,
    // and nobody waits for gigabytes of zeros.
    outcome = ::fallocate(descriptor_, 0, 0, static_cast<off_t>(end.value));
  } while (outcome != 0 && errno == EINTR);
  if (outcome == 0) {
    allocated_ = end;
    return true;
  }
  const int code = errno;
  if (code == EOPNOTSUPP || code == ENOSYS) {
    supported_ = false;
    return false;
  }
  if (code != ENOSPC && code != EDQUOT && code != EFBIG) return io_error("allocate", code);
  if (Status measured = measure(); !measured.ok()) return measured.error();
  return false;
}

Status Preallocation::extend(ByteCount used, ByteCount free) {
  if (!measured_) {
    if (Status measured = measure(); !measured.ok()) return measured;
  }
  const ByteCount needed = std::min(most_, used + reserve_);
  if (!supported_ || allocated_ >= needed) return Done{};
  const ByteCount wanted = std::min(most_, used + reserve_ + std::min(kStep, reserve_));
  for (const ByteCount end : {wanted, needed}) {
    // Checked first, because a failed attempt may keep the last free blocks of the disk.
    if (end - allocated_ >= free) continue;
    const Result<bool> done = allocate_up_to(end);
    if (!done.ok()) return done.error();
    if (*done || !supported_) break;
  }
  return Done{};
}

}  // namespace millrace::broker
