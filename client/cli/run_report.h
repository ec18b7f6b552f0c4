// What a submit or a wait tells while it runs and at its end.
#pragma once

#include <optional>
#include <string>

#include "client/cli/progress.h"
#include "client/cpp/client.h"
#include "common/host/clock.h"
#include "common/host/exit_code.h"

namespace millrace::cli {

struct RunReportOptions {
  bool wait = false;     // the ends are awaited
  bool results = false;  // a JSON line for each end
  bool json = false;     // one summary object at the end
};

// Not thread-safe.
class RunReport {
 public:
  RunReport(const RunReportOptions& options, const host::Clock& clock);

  // How many tasks there will be; unknown while streaming.
  void expect(std::optional<std::uint64_t> total) { total_ = total; }
  void submitted(const TaskId& id, const Result<SubmitStatus>& answer);
  void finished(const FinishedTask& task);
  void unknown(const TaskId& id);
  void add_duplicates(std::uint64_t count) { duplicates_ += count; }

  // Takes the bar away for good and prints the summary.
  void close();
  // The tasks that the broker took.
  std::uint64_t accepted() const { return submitted_; }
  std::uint64_t ended() const { return succeeded_ + dead_ + cancelled_ + expired_; }
  // done: everything succeeded (or was taken, when the ends are not awaited).
  host::ExitCode exit_code() const;

 private:
  void show_progress();
  void print(const std::string& line);
  void complain(const std::string& line);
  std::string summary_json(Duration elapsed) const;
  std::string summary_text(Duration elapsed) const;

  RunReportOptions options_;
  const host::Clock& clock_;
  Time start_;
  Progress progress_;
  bool output_is_terminal_;
  std::optional<std::uint64_t> total_;
  std::uint64_t complaints_ = 0;
  std::uint64_t submitted_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t rejected_ = 0;
  std::uint64_t succeeded_ = 0;
  std::uint64_t dead_ = 0;
  std::uint64_t cancelled_ = 0;
  std::uint64_t expired_ = 0;
  std::uint64_t unknown_ = 0;
};

}  // namespace millrace::cli
