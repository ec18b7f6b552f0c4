#include "broker/access/allowlist_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "common/base/shown_text.h"

namespace millrace::broker {
namespace {

constexpr std::int64_t kBytesMax = 16 << 20;

Error problem_with(const std::string& path, const std::string& problem) {
  return {ErrorCode::misconfigured, shown_text(path) + ": " + problem};
}

}  // namespace

AllowlistFile::Stamp AllowlistFile::stamp() const {
  struct stat facts {};
  if (::stat(path_.c_str(), &facts) != 0) return {};
  return {true,          facts.st_dev,         facts.st_ino,
          facts.st_size, facts.st_ctim.tv_sec, facts.st_ctim.tv_nsec};
}

Result<Allowlist> AllowlistFile::read() {
  read_ = seen_ = stamp();
  struct stat facts {};
  if (::stat(path_.c_str(), &facts) != 0) {
    return problem_with(path_, std::string("cannot be read: ") + std::strerror(errno) +
                                   "; millrace keygen makes one");
  }
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return problem_with(path_, "others may write it; run: chmod go-w " + shown_text(path_));
  }
  if (facts.st_size > kBytesMax) return problem_with(path_, "is larger than 16 MiB");
  std::ifstream file(path_, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) return problem_with(path_, std::string("cannot be read: ") + std::strerror(errno));
  return parse_allowlist(text, path_);
}

std::optional<Result<Allowlist>> AllowlistFile::read_if_changed() {
  const Stamp now = stamp();
  const bool settled = now == seen_;
  seen_ = now;
  if (!settled || now == read_) return std::nullopt;
  return read();
}

}  // namespace millrace::broker
