// One child process in a process group of its own, with pipes on its three standard streams. It
// dies with the thread that started it (PR_SET_PDEATHSIG), so that a killed worker leaves no child
// behind.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "common/base/result.h"
#include "worker/cpp/unique_descriptor.h"

namespace millrace::worker {

struct ChildSettings {
  std::string path;                      // of the program; no search, no shell
  std::vector<std::string> arguments;    // argv, the name first
  std::vector<std::string> environment;  // "NAME=value"; nothing is inherited
};

// How a child ended.
struct ChildEnd {
  bool by_signal = false;
  int number = 0;  // the exit status, or the signal
};

// Not thread-safe. For the thread that started it: the child dies when that thread ends.
class ChildProcess {
 public:
  // The child starts with default signal dispositions, no blocked signals and no other descriptor.
  // Errors: io, with the path and the system's cause.
  static Result<ChildProcess> start(const ChildSettings& settings);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  // Kills the whole group and collects the child, unless collect() has.
  ~ChildProcess();

  // Non-blocking ends of the pipes. Closing `input` is the end of file for the child.
  UniqueDescriptor input;
  UniqueDescriptor output;
  UniqueDescriptor error;
  // Readable when the child has ended; -1 where the kernel has no pidfd: then ask has_ended().
  int end_descriptor() const { return end_.get(); }

  // True when the child itself has ended; others of its group may live on.
  bool has_ended() const;
  // To every process of the group.
  void signal_group(int signal_number) const;
  // Kills what is left of the group, waits for the child and collects it. Once.
  ChildEnd collect();

 private:
  explicit ChildProcess(pid_t child) : child_(child) {}

  pid_t child_;
  UniqueDescriptor end_;
};

// "SIGKILL" for 9; "signal 99" for one without a name.
std::string signal_name(int signal_number);

}  // namespace millrace::worker
