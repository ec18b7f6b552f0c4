#include "common/host/reload_signal.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/check.h"

namespace millrace::host {

ReloadSignal::ReloadSignal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGHUP);
  MILLRACE_CHECK(pthread_sigmask(SIG_BLOCK, &signals, &mask_before_) == 0,
                 "signals can be blocked");
  descriptor_ = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
  MILLRACE_CHECK(descriptor_ >= 0, "a descriptor is left for signals");
}

ReloadSignal::~ReloadSignal() {
  close(descriptor_);
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

bool ReloadSignal::take() {
  signalfd_siginfo info{};
  bool came = false;
  while (read(descriptor_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) came = true;
  return came;
}

}  // namespace millrace::host
