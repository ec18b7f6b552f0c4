#include "worker/cpp/child_process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

namespace millrace::worker {
namespace {

struct Pipe {
  UniqueDescriptor read;
  UniqueDescriptor write;
};

std::optional<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  return Pipe{UniqueDescriptor(ends[0]), UniqueDescriptor(ends[1])};
}

void make_non_blocking(const UniqueDescriptor& descriptor) {
  fcntl(descriptor.get(), F_SETFL, fcntl(descriptor.get(), F_GETFL) | O_NONBLOCK);
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// All that the child needs, made before it exists: it shares the parent's memory until exec and may
// only make async-signal-safe calls.
struct ExecPlan {
  const char* path;
  char* const* arguments;
  char* const* environment;
  int streams[3];
  int report;  // takes the errno of what failed; closed by a successful exec
  pid_t parent;
};

void reset_signals() {
  struct sigaction initial {};
  initial.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) sigaction(number, &initial, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Moves the pipes to 0, 1 and 2. They may lie on each other's places: first out of the way.
bool place_streams(const int* streams) {
  constexpr int kOutOfTheWay = 3;
  int moved[3];
  for (int i = 0; i < 3; ++i) {
    moved[i] = fcntl(streams[i], F_DUPFD_CLOEXEC, kOutOfTheWay);
    if (moved[i] < 0) return false;
  }
  for (int i = 0; i < 3; ++i) {
    if (dup2(moved[i], i) < 0) return false;
  }
  return true;
}

[[noreturn]] void become_program(const ExecPlan& plan) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != plan.parent) _exit(127);  // it died before the line above
  if (place_streams(plan.streams)) {
    // What a library has opened without care; a kernel before 5.11 cannot, and then it is
    // inherited.
    syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
    reset_signals();
    execve(plan.path, plan.arguments, plan.environment);
  }
  const int failure = errno;
  [[maybe_unused]] const auto written = write(plan.report, &failure, sizeof failure);
  _exit(127);
}

// vfork: the parent's memory is not copied, however large it is, and its thread waits for the exec.
// Nothing relies on that: where vfork is a fork (under a sanitizer, say) all works the same.
__attribute__((noinline)) pid_t start_program(const ExecPlan& plan) {
  const pid_t child = vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork)
  if (child == 0) become_program(plan);
  return child;
}

// Signals wait meanwhile: a handler of the parent must not run in the child.
pid_t start_with_signals_blocked(const ExecPlan& plan) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t child = start_program(plan);
  const int failure = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = failure;
  return child;
}

// The errno with which the child failed to become the program; 0 once it has become it.
int read_failure(Pipe& report) {
  report.write.close();
  int failure = 0;
  ssize_t size = 0;
  do {
    size = read(report.read.get(), &failure, sizeof failure);
  } while (size < 0 && errno == EINTR);
  return size == static_cast<ssize_t>(sizeof failure) ? failure : 0;
}

Error cannot_start(const std::string& path, int cause) {
  return Error{ErrorCode::io, "cannot start " + path + ": " + std::strerror(cause)};
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const ChildSettings& settings) {
  auto input = make_pipe();
  auto output = make_pipe();
  auto error = make_pipe();
  auto report = make_pipe();
  if (!input || !output || !error || !report) return cannot_start(settings.path, errno);
  const std::vector<char*> arguments = pointers_to(settings.arguments);
  const std::vector<char*> environment = pointers_to(settings.environment);
  const ExecPlan plan{
      settings.path.c_str(), arguments.data(),
      environment.data(),    {input->read.get(), output->write.get(), error->write.get()},
      report->write.get(),   getpid()};
  const pid_t child = start_with_signals_blocked(plan);
  if (child < 0) return cannot_start(settings.path, errno);
  ChildProcess process(child);
  const int failure = read_failure(*report);
  if (failure != 0) return cannot_start(settings.path, failure);
  process.end_ = UniqueDescriptor(static_cast<int>(syscall(SYS_pidfd_open, child, 0U)));
  process.input = std::move(input->write);
  process.output = std::move(output->read);
  process.error = std::move(error->read);
  for (const UniqueDescriptor* end : {&process.input, &process.output, &process.error}) {
    make_non_blocking(*end);
  }
  return process;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : input(std::move(other.input)),
      output(std::move(other.output)),
      error(std::move(other.error)),
      child_(std::exchange(other.child_, -1)),
      end_(std::move(other.end_)) {}

ChildProcess::~ChildProcess() {
  if (child_ > 0) collect();
}

bool ChildProcess::has_ended() const {
  siginfo_t info{};
  const int rc = waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT);
  return rc != 0 || info.si_pid == child_;
}

void ChildProcess::signal_group(int signal_number) const {
  kill(-child_, signal_number);
}

ChildEnd ChildProcess::collect() {
  // Before the child is collected, so that its number cannot yet be another group's.
  signal_group(SIGKILL);
  int status = 0;
  while (waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
  if (WIFSIGNALED(status)) return ChildEnd{true, WTERMSIG(status)};
  return ChildEnd{false, WEXITSTATUS(status)};
}

std::string signal_name(int signal_number) {
  const char* abbreviation = sigabbrev_np(signal_number);
  return abbreviation == nullptr ? "signal " + std::to_string(signal_number)
                                 : "SIG" + std::string(abbreviation);
}

}  // namespace millrace::worker
