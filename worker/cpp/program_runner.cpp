#include "worker/cpp/program_runner.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "worker/cpp/child_process.h"
#include "worker/cpp/program_streams.h"

namespace millrace::worker {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kFailedForGood = 65;  // EX_DATAERR of sysexits.h
// Descendants may keep the pipes open after the program has ended; then its output ends here.
constexpr std::chrono::milliseconds kLastOutput{200};
// Where the kernel cannot tell of a child's end.
constexpr int kLookMilliseconds = 20;

bool may_be_run(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         access(path.c_str(), X_OK) == 0;
}

// As execvp(3) searches: a name with a slash is a path, any other is looked up in PATH.
std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return may_be_run(name) ? name : std::string();
  const char* variable = std::getenv("PATH");
  std::string rest = variable == nullptr ? "/usr/local/bin:/usr/bin:/bin" : variable;
  for (;;) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string folder = end == 0 ? "." : rest.substr(0, end);
    const std::string path = folder + "/" + name;
    if (may_be_run(path)) return path;
    if (end == rest.size()) return {};
    rest.erase(0, end + 1);
  }
}

// "x-trace-id" as MILLRACE_HEADER_X_TRACE_ID; nothing for a name or value that cannot be in an
// environment.
std::string header_variable(const std::string& name, const std::string& value) {
  std::string variable = "MILLRACE_HEADER_";
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    if (!letter && !digit && c != '-' && c != '_' && c != '.') return {};
    variable.push_back(letter ? static_cast<char>(c & ~0x20) : digit ? c : '_');
  }
  if (name.empty() || value.find('\0') != std::string::npos) return {};
  return variable + "=" + value;
}

// The trace that the task belongs to, by the names that programs look for (W3C Trace Context);
// nothing for other headers.
std::string trace_variable(const std::string& name, const std::string& value) {
  if (value.find('\0') != std::string::npos) return {};
  if (name == "traceparent") return "TRACEPARENT=" + value;
  return name == "tracestate" ? "TRACESTATE=" + value : std::string();
}

std::vector<std::string> environment_for(const Task& task) {
  std::vector<std::string> environment;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    // Nothing of another task, should this worker be one's program itself.
    const bool ours =
        text.rfind("MILLRACE_TASK_ID=", 0) == 0 || text.rfind("MILLRACE_QUEUE=", 0) == 0 ||
        text.rfind("MILLRACE_ATTEMPT=", 0) == 0 || text.rfind("MILLRACE_FENCE=", 0) == 0 ||
        text.rfind("MILLRACE_HEADER_", 0) == 0 || text.rfind("TRACEPARENT=", 0) == 0 ||
        text.rfind("TRACESTATE=", 0) == 0;
    if (!ours) environment.emplace_back(text);
  }
  environment.push_back("MILLRACE_TASK_ID=" + to_text(task.id()));
  environment.push_back("MILLRACE_QUEUE=" + task.queue());
  environment.push_back("MILLRACE_ATTEMPT=" + std::to_string(task.attempt()));
  environment.push_back("MILLRACE_FENCE=" + std::to_string(task.fence().value));
  for (const auto& [name, value] : task.headers()) {
    for (std::string variable : {header_variable(name, value), trace_variable(name, value)}) {
      if (!variable.empty()) environment.push_back(std::move(variable));
    }
  }
  return environment;
}

// Ends the group step by step once the attempt should end.
class Terminator {
 public:
  Terminator(const Task& task, const ChildProcess& child, Duration grace)
      : task_(task), child_(child), grace_(std::chrono::nanoseconds(grace.in_nanoseconds())) {}

  void step(SteadyClock::time_point now) {
    const StopReason reason = task_.stop_reason();
    if (reason == StopReason::none) return;
    if (!terminated_) {
      terminated_ = true;
      kill_at_ = now + grace_;
      child_.signal_group(SIGTERM);
    }
    if (!killed_ && (now >= kill_at_ || reason == StopReason::shutting_down)) kill_now();
  }
  void kill_now() {
    terminated_ = killed_ = true;
    child_.signal_group(SIGKILL);
  }
  SteadyClock::time_point next() const {
    return terminated_ && !killed_ ? kill_at_ : SteadyClock::time_point::max();
  }
  // The first stop wakes by the task's descriptor; a more urgent one later is looked for.
  bool watches_descriptor() const { return !terminated_; }
  bool looks_again() const { return terminated_ && !killed_; }

 private:
  const Task& task_;
  const ChildProcess& child_;
  std::chrono::nanoseconds grace_;
  bool terminated_ = false;
  bool killed_ = false;
  SteadyClock::time_point kill_at_;
};

// Waits for the next thing to do.
void wait(const Task& task, const ChildProcess& child, const Terminator& terminator,
          SteadyClock::time_point until, bool ended) {
  std::array<pollfd, 5> items{
      {{child.input.get(), POLLOUT, 0},
       {child.output.get(), POLLIN, 0},
       {child.error.get(), POLLIN, 0},
       {ended ? -1 : child.end_descriptor(), POLLIN, 0},
       {terminator.watches_descriptor() ? task.stop_descriptor() : -1, POLLIN, 0}}};
  const bool look = terminator.looks_again() || (!ended && child.end_descriptor() < 0);
  int timeout = look ? kLookMilliseconds : -1;
  if (until != SteadyClock::time_point::max()) {
    const auto rest =
        std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now()).count();
    const int bounded = static_cast<int>(std::clamp<std::int64_t>(rest, 0, 60'000));
    timeout = timeout < 0 ? bounded : std::min(timeout, bounded);
  }
  ::poll(items.data(), items.size(), timeout);
}

// Until the program has ended and its output is read, or has had its time.
void supervise(const Task& task, ChildProcess& child, ProgramStreams& streams, Duration grace) {
  Terminator terminator(task, child, grace);
  bool ended = false;
  auto output_until = SteadyClock::time_point::max();
  for (;;) {
    const auto now = SteadyClock::now();
    if (!ended && child.has_ended()) {
      ended = true;
      child.input.close();
      output_until = now + kLastOutput;
    }
    streams.move();
    if (streams.is_too_large()) terminator.kill_now();
    if (ended && (!streams.is_open() || now >= output_until || streams.is_too_large())) return;
    if (!ended) terminator.step(now);
    wait(task, child, terminator, std::min(terminator.next(), output_until), ended);
  }
}

std::string with_tail(std::string what, const std::string& tail) {
  return tail.empty() ? what : what + ": " + tail;
}

Answer answer_of(ChildEnd end, ProgramStreams& streams, ByteCount result_bytes_max) {
  const std::string tail = streams.error_tail();
  if (streams.is_too_large()) {
    return fail_for_good("result larger than " + std::to_string(result_bytes_max.value) +
                         " bytes; store it elsewhere and print where");
  }
  if (end.by_signal) {
    const std::string what =
        "killed by signal " + std::to_string(end.number) + " (" + signal_name(end.number) + ")";
    return Answer{Outcome::crashed, {}, with_tail(what, tail)};
  }
  if (end.number == 0) return done(SharedBytes::adopt(streams.take_result()));
  const std::string error = with_tail("exit status " + std::to_string(end.number), tail);
  return end.number == kFailedForGood ? fail_for_good(error) : retry(error);
}

}  // namespace

Result<ProgramRunner> ProgramRunner::find(ProgramSettings settings) {
  MILLRACE_CHECK(!settings.command.empty(), "a program is named");
  const std::string& name = settings.command.front();
  std::string path = find_program(name);
  if (path.empty()) {
    return Error{ErrorCode::misconfigured,
                 "'" + name + "' is not a program that can be run; check its path and its mode"};
  }
  return ProgramRunner(std::move(settings), std::move(path));
}

Answer ProgramRunner::run(const Task& task) const {
  auto child = ChildProcess::start(ChildSettings{path_, settings_.command, environment_for(task)});
  if (!child) return retry(child.error().message);
  ProgramStreams streams(*child, task.payload(), task.result_bytes_max(), settings_.pass_errors_on);
  supervise(task, *child, streams, settings_.grace);
  return answer_of(child->collect(), streams, task.result_bytes_max());
}

}  // namespace millrace::worker
