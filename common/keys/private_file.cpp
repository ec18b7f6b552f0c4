#include "common/keys/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/base/shown_text.h"

namespace millrace::keys {
namespace {

constexpr std::size_t kBytesMax = 64 * 1024;

Error problem_with(const std::string& path, const std::string& problem) {
  return {ErrorCode::misconfigured, shown_text(path) + ": " + problem};
}

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

// A file of somebody else could be changed or read by them at any time.
Status check_owner_and_mode(const std::string& path, const struct stat& facts) {
  if (!S_ISREG(facts.st_mode)) return problem_with(path, "is not a file");
  if (facts.st_uid != ::geteuid() && facts.st_uid != 0) {
    return problem_with(path, "belongs to another user; make it your own: chown it to this user");
  }
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return problem_with(
        path, "holds a secret and others may read it; run: chmod 600 " + shown_text(path));
  }
  return Done{};
}

Error is_there_already(const std::string& path) {
  return problem_with(path, "is there already and is not overwritten; move it away first");
}
Error cannot(const std::string& path, const std::string& what, int code) {
  return problem_with(path, "cannot " + what + ": " + std::strerror(code));
}

// Writes `place`; errors name `path`, which it is meant for.
Status write_synced(const std::string& path, const std::string& place, const std::string& text) {
  const Descriptor file(::open(place.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) return cannot(path, "be made", errno);
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t took = ::write(file.get(), text.data() + written, text.size() - written);
    if (took < 0 && errno == EINTR) continue;
    if (took < 0) return cannot(path, "be written", errno);
    written += static_cast<std::size_t>(took);
  }
  if (::fsync(file.get()) != 0) return cannot(path, "be written", errno);
  return Done{};
}

}  // namespace

Result<std::string> read_private_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    return problem_with(path, std::string("cannot be read: ") + std::strerror(errno));
  }
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return problem_with(path, std::strerror(errno));
  if (Status fit = check_owner_and_mode(path, facts); !fit.ok()) return fit.error();
  std::string text(kBytesMax + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t came = ::read(file.get(), text.data() + size, text.size() - size);
    if (came < 0 && errno == EINTR) continue;
    if (came < 0) return problem_with(path, std::string("cannot be read: ") + std::strerror(errno));
    if (came == 0) break;
    size += static_cast<std::size_t>(came);
  }
  if (size > kBytesMax) return problem_with(path, "is too large for what it should hold");
  text.resize(size);
  return text;
}

Status write_private_file(const std::string& path, const std::string& text) {
  if (::access(path.c_str(), F_OK) == 0) return is_there_already(path);
  // Beside its place until it is whole: half a file after a crash would be refused ever after.
  const std::string unfinished = path + ".unfinished";
  ::unlink(unfinished.c_str());
  Status written = write_synced(path, unfinished, text);
  // Unlike a rename, a link never takes the place of what has come there meanwhile.
  if (written.ok() && ::link(unfinished.c_str(), path.c_str()) != 0) {
    written = errno == EEXIST ? is_there_already(path) : cannot(path, "be made", errno);
  }
  ::unlink(unfinished.c_str());
  return written;
}

}  // namespace millrace::keys
