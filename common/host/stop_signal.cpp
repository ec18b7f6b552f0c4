#include "common/host/stop_signal.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

namespace millrace::host {
namespace {

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

StopSignal::StopSignal() {
  const sigset_t signals = stop_signals();
  MILLRACE_CHECK(pthread_sigmask(SIG_BLOCK, &signals, &mask_before_) == 0,
                 "signals can be blocked");
  std::signal(SIGPIPE, SIG_IGN);
  descriptor_ = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  MILLRACE_CHECK(descriptor_ >= 0, "a descriptor is left for signals");
}

StopSignal::~StopSignal() {
  close(descriptor_);
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

int StopSignal::count() {
  signalfd_siginfo info{};
  for (;;) {
    const ssize_t size = read(descriptor_, &info, sizeof info);
    if (size == static_cast<ssize_t>(sizeof info)) {
      ++count_;
    } else if (size >= 0 || errno != EINTR) {
      return count_;
    }
  }
}

void StopSignal::unblock_in_child() {
  const sigset_t signals = stop_signals();
  sigprocmask(SIG_UNBLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
}

}  // namespace millrace::host
