#include "tests/unit/client/cli_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "common/base/check.h"

namespace millrace::cli {
namespace {

int nameless_file() {
  char name[] = "/tmp/millrace-cli-test-XXXXXX";
  const int descriptor = ::mkstemp(name);
  MILLRACE_CHECK(descriptor >= 0, "a temporary file can be made");
  ::unlink(name);
  return descriptor;
}

std::string contents(int descriptor) {
  std::string text;
  char buffer[4'096];
  ::lseek(descriptor, 0, SEEK_SET);
  for (ssize_t count; (count = ::read(descriptor, buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(count));
  }
  return text;
}

}  // namespace

CliProcess::CliProcess(const std::vector<std::string>& arguments, const std::string& input)
    : out_(nameless_file()), err_(nameless_file()) {
  int input_pipe[2];
  MILLRACE_CHECK(::pipe2(input_pipe, O_CLOEXEC) == 0, "a pipe can be made");
  std::vector<std::string> words = {MILLRACE_CLI_PATH};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_ = ::fork();
  MILLRACE_CHECK(pid_ >= 0, "a process can be made");
  if (pid_ == 0) {
    ::dup2(input_pipe[0], STDIN_FILENO);
    ::dup2(out_, STDOUT_FILENO);
    ::dup2(err_, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(input_pipe[0]);
  ::signal(SIGPIPE, SIG_IGN);  // the program may refuse before it has read everything
  std::size_t written = 0;
  while (written < input.size()) {
    const ssize_t count = ::write(input_pipe[1], input.data() + written, input.size() - written);
    if (count <= 0) break;
    written += static_cast<std::size_t>(count);
  }
  ::close(input_pipe[1]);
}

CliProcess::~CliProcess() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(out_);
  ::close(err_);
}

void CliProcess::interrupt() const {
  ::kill(pid_, SIGINT);
}

CliOutcome CliProcess::wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  CliOutcome outcome;
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.out = contents(out_);
  outcome.err = contents(err_);
  return outcome;
}

}  // namespace millrace::cli
