#include "client/cli/spool.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace millrace::cli {
namespace {

Error io_error(const char* what) {
  return Error{ErrorCode::io, std::string(what) + ": " + std::strerror(errno) +
                                  "; make room in /tmp, or give a file instead of a pipe"};
}

}  // namespace

Status Spool::move_to_disk() {
  file_.reset(std::tmpfile());
  if (file_ == nullptr) return io_error("cannot make a temporary file");
  if (std::fwrite(memory_.data(), 1, memory_.size(), file_.get()) != memory_.size()) {
    return io_error("cannot write the temporary file");
  }
  memory_.clear();
  memory_.shrink_to_fit();
  return Done();
}

Status Spool::append(std::string_view bytes) {
  if (file_ == nullptr && memory_.size() + bytes.size() > memory_max_.value) {
    const Status moved = move_to_disk();
    if (!moved) return moved;
  }
  if (file_ == nullptr) {
    memory_.append(bytes);
  } else if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) {
    return io_error("cannot write the temporary file");
  }
  return Done();
}

Status Spool::rewind() {
  read_ = 0;
  if (file_ == nullptr) return Done();
  if (std::fflush(file_.get()) != 0 || std::fseek(file_.get(), 0, SEEK_SET) != 0) {
    return io_error("cannot write the temporary file");
  }
  return Done();
}

ssize_t Spool::read(char* buffer, std::size_t size) {
  if (file_ == nullptr) {
    const std::size_t count = std::min(size, memory_.size() - read_);
    std::memcpy(buffer, memory_.data() + read_, count);
    read_ += count;
    return static_cast<ssize_t>(count);
  }
  const std::size_t count = std::fread(buffer, 1, size, file_.get());
  if (count == 0 && std::ferror(file_.get()) != 0) return -1;
  return static_cast<ssize_t>(count);
}

}  // namespace millrace::cli
