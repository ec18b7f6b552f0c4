// A record, outside the broker, of every attempt this worker starts and ends: what proves
// afterwards that nothing ran twice.
#pragma once

#include <memory>
#include <string>

#include "common/base/result.h"
#include "worker/cpp/unique_descriptor.h"
#include "worker/cpp/worker.h"

namespace millrace::worker {

// Lines "start|end TASK ATTEMPT FENCE WORKER NANOSECONDS", the last by this machine's steady clock,
// so that ledgers and histories of one machine can be compared. Each line is one write to a file
// opened for appending: those of several processes and threads never mix. Thread-safe; copies share
// the file.
class Ledger {
 public:
  // Errors: misconfigured, with the path and the cause.
  static Result<Ledger> open(const std::string& path, std::string worker);

  // `handler`, noted before and after. An end is missing where the process died in between.
  Handler noting(Handler handler) const;

 private:
  struct File {
    UniqueDescriptor descriptor;
    std::string worker;
    void note(const char* what, const Task& task) const;
  };
  explicit Ledger(std::shared_ptr<const File> file) : file_(std::move(file)) {}
  std::shared_ptr<const File> file_;
};

}  // namespace millrace::worker
