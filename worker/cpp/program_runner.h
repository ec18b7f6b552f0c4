// Runs a program once per task: payload on its standard input, result from its standard output. The
// rules of exit codes, signals and environment are in docs and contract: 0 succeeded, 65 failed for
// good, anything else failed, death by a signal crashed.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "worker/cpp/worker.h"

namespace millrace::worker {

struct ProgramSettings {
  std::vector<std::string> command;       // the program and its arguments; no shell
  Duration grace = Duration::seconds(5);  // from SIGTERM to SIGKILL
  bool pass_errors_on = false;            // its standard error goes to ours too
};

// Thread-safe to use from several slots at once.
class ProgramRunner {
 public:
  // Finds the program as execvp(3) would. Errors: misconfigured, if there is none that may be run.
  static Result<ProgramRunner> find(ProgramSettings settings);

  // One attempt. Returns when the program and its process group have ended.
  Answer run(const Task& task) const;

 private:
  ProgramRunner(ProgramSettings settings, std::string path)
      : settings_(std::move(settings)), path_(std::move(path)) {}
  ProgramSettings settings_;
  std::string path_;
};

}  // namespace millrace::worker
