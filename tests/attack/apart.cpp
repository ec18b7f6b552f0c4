#include "tests/attack/apart.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/base/check.h"

namespace millrace::attack {
namespace {

struct Head {
  std::uint64_t batches = 0;
  std::uint64_t problem_bytes = 0;
  std::uint64_t reported = 0;
};

[[noreturn]] void run_in_child(const std::function<Verdict()>& examination, int pipe) {
  // LMDB says on stderr which assertion failed; the verdict says that one did.
  ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
  const Verdict verdict = examination();
  std::string bytes(sizeof(Head), '\0');
  const Head head{verdict.batches, verdict.problem.size(), verdict.reported ? 1U : 0U};
  std::memcpy(bytes.data(), &head, sizeof(head));
  bytes += verdict.problem;
  const bool told = ::write(pipe, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  ::_exit(told ? 0 : 1);
}

std::string read_all(int pipe) {
  std::string bytes;
  std::array<char, 4096> piece{};
  ssize_t size = 0;
  while ((size = ::read(pipe, piece.data(), piece.size())) > 0 || (size < 0 && errno == EINTR)) {
    if (size > 0) bytes.append(piece.data(), static_cast<std::size_t>(size));
  }
  return bytes;
}

}  // namespace

ApartVerdict examine_apart(const std::function<Verdict()>& examination) {
  std::array<int, 2> ends{};
  MILLRACE_CHECK(::pipe(ends.data()) == 0, "a pipe can be made");
  const pid_t child = ::fork();
  MILLRACE_CHECK(child >= 0, "a process can be made");
  if (child == 0) run_in_child(examination, ends[1]);
  ::close(ends[1]);
  const std::string bytes = read_all(ends[0]);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  Head head;
  if (bytes.size() < sizeof(head)) {
    const std::string end = WIFSIGNALED(status)
                                ? "signal " + std::to_string(WTERMSIG(status))
                                : "exit code " + std::to_string(WEXITSTATUS(status));
    return {{0, "the process ended with " + end, false}, true};
  }
  std::memcpy(&head, bytes.data(), sizeof(head));
  return {{head.batches, bytes.substr(sizeof(head)), head.reported == 1}, false};
}

}  // namespace millrace::attack
