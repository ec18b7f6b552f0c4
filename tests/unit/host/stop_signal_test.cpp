#include "common/host/stop_signal.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace millrace::host {
namespace {

bool is_readable(int descriptor) {
  pollfd item{descriptor, POLLIN, 0};
  return poll(&item, 1, 10'000) == 1;
}

TEST(StopSignal, NothingHasComeAtFirst) {
  StopSignal stop;
  EXPECT_EQ(stop.count(), 0);
}

TEST(StopSignal, SignalsAreCountedInsteadOfKilling) {
  StopSignal stop;
  kill(getpid(), SIGTERM);
  ASSERT_TRUE(is_readable(stop.descriptor()));
  EXPECT_EQ(stop.count(), 1);
  kill(getpid(), SIGINT);
  ASSERT_TRUE(is_readable(stop.descriptor()));
  EXPECT_EQ(stop.count(), 2);
  EXPECT_EQ(stop.count(), 2);
}

TEST(StopSignal, BrokenPipesAreAnErrorNumberAndNotADeath) {
  StopSignal stop;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  EXPECT_EQ(write(ends[1], "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  close(ends[1]);
}

TEST(StopSignal, ChildDiesOfTheSignalAgain) {
  StopSignal stop;
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    StopSignal::unblock_in_child();
    raise(SIGTERM);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST(StopSignal, MaskIsRestoredAtTheEnd) {
  { StopSignal stop; }
  sigset_t mask;
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, nullptr, &mask), 0);
  EXPECT_EQ(sigismember(&mask, SIGTERM), 0);
}

}  // namespace
}  // namespace millrace::host
