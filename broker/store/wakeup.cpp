#include "broker/store/wakeup.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "common/base/check.h"

namespace millrace::broker {

Result<Wakeup> Wakeup::open() {
  const int descriptor = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (descriptor >= 0) return Wakeup(descriptor);
  return Error{ErrorCode::io, std::string("cannot open an eventfd: ") + std::strerror(errno) +
                                  "; raise the limit of open files"};
}

Wakeup::~Wakeup() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Wakeup::signal() const {
  const std::uint64_t one = 1;
  ssize_t written = 0;
  do {
    written = ::write(descriptor_, &one, sizeof(one));
  } while (written < 0 && errno == EINTR);
  // EAGAIN: the counter is at its top, so the descriptor is readable already.
  MILLRACE_CHECK(written == sizeof(one) || errno == EAGAIN, "an eventfd takes a signal");
}

void Wakeup::acknowledge() const {
  std::uint64_t count = 0;
  ssize_t taken = 0;
  do {
    taken = ::read(descriptor_, &count, sizeof(count));
  } while (taken < 0 && errno == EINTR);
  MILLRACE_CHECK(taken == sizeof(count) || errno == EAGAIN, "an eventfd gives its count");
}

}  // namespace millrace::broker
