// Runs the built program as a user would.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace millrace::cli {

struct CliOutcome {
  int code = -1;  // 128 + signal when it died by one
  std::string out;
  std::string err;
};

class CliProcess {
 public:
  // Starts `millrace arguments…` with `input` as standard input through a pipe.
  explicit CliProcess(const std::vector<std::string>& arguments, const std::string& input = "");
  ~CliProcess();
  CliProcess(const CliProcess&) = delete;
  CliProcess& operator=(const CliProcess&) = delete;

  void interrupt() const;  // SIGINT
  CliOutcome wait();

 private:
  pid_t pid_ = -1;
  int out_ = -1;  // temporary files without a name
  int err_ = -1;
};

inline CliOutcome run_cli(const std::vector<std::string>& arguments,
                          const std::string& input = "") {
  return CliProcess(arguments, input).wait();
}

}  // namespace millrace::cli
