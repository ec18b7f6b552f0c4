#include "client/cli/run_report.h"

#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "client/cli/command.h"
#include "client/cli/display.h"
#include "client/cli/task_json.h"
#include "common/json/strict_json.h"

namespace millrace::cli {
namespace {

// Single complaints before they are only counted.
constexpr std::uint64_t kComplaintsMax = 10;

}  // namespace

RunReport::RunReport(const RunReportOptions& options, const host::Clock& clock)
    : options_(options),
      clock_(clock),
      start_(clock.now()),
      progress_(stderr, start_),
      output_is_terminal_(::isatty(STDOUT_FILENO) == 1) {
  // Whoever reads the results from a pipe gets each as its task ends.
  if (options_.results) std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
}

void RunReport::print(const std::string& line) {
  if (output_is_terminal_) progress_.erase();
  print_line(line);
}

void RunReport::complain(const std::string& line) {
  if (++complaints_ > kComplaintsMax) return;
  progress_.erase();
  std::fprintf(stderr, "millrace: %s\n", line.c_str());
}

void RunReport::submitted(const TaskId& id, const Result<SubmitStatus>& answer) {
  if (answer) {
    ++submitted_;
    if (*answer == SubmitStatus::duplicate) ++duplicates_;
    if (!options_.wait && !options_.json) print(to_text(id));
  } else {
    ++rejected_;
    complain("task " + to_text(id) + " was rejected: " + answer.error().message);
  }
  show_progress();
}

void RunReport::finished(const FinishedTask& task) {
  switch (task.state) {
    case TaskState::succeeded:
      ++succeeded_;
      break;
    case TaskState::dead:
      ++dead_;
      break;
    case TaskState::cancelled:
      ++cancelled_;
      break;
    default:
      ++expired_;
      break;
  }
  if (options_.results) print(json::dump(finished_json(task)));
  show_progress();
}

void RunReport::unknown(const TaskId& id) {
  ++unknown_;
  complain("task " + to_text(id) +
           " is not known to the broker: never accepted there, or forgotten after its retention");
}

void RunReport::show_progress() {
  ProgressFigures figures;
  figures.total_is_final = total_.has_value();
  figures.total = total_.value_or(submitted_ + rejected_);
  figures.done = rejected_ + unknown_ + (options_.wait ? ended() : submitted_);
  figures.dead = dead_;
  progress_.show(figures, clock_.now());
}

void RunReport::close() {
  progress_.erase();
  if (complaints_ > kComplaintsMax) {
    std::fprintf(stderr, "millrace: and %s more like these\n",
                 grouped(complaints_ - kComplaintsMax).c_str());
  }
  const Duration elapsed = clock_.now() - start_;
  if (options_.json) {
    print_line(summary_json(elapsed));
  } else if (options_.wait) {
    // Beside result lines the summary must not get among them.
    std::fprintf(options_.results ? stderr : stdout, "%s\n", summary_text(elapsed).c_str());
  }
}

std::string RunReport::summary_json(Duration elapsed) const {
  const OrderedJson summary = {{"submitted", submitted_},
                               {"succeeded", succeeded_},
                               {"dead", dead_},
                               {"cancelled", cancelled_},
                               {"expired", expired_},
                               {"rejected", rejected_},
                               {"duplicates", duplicates_},
                               {"unknown", unknown_},
                               {"seconds", std::round(elapsed.in_seconds() * 1e3) / 1e3}};
  return json::dump(summary);
}

std::string RunReport::summary_text(Duration elapsed) const {
  std::string text;
  const auto add = [&text](std::uint64_t count, const char* what, bool always) {
    if (count == 0 && !always) return;
    if (!text.empty()) text += ", ";
    text += grouped(count) + " " + what;
  };
  add(submitted_, "submitted", false);
  add(succeeded_, "succeeded", true);
  add(dead_, "dead", false);
  add(cancelled_, "cancelled", false);
  add(expired_, "expired", false);
  add(rejected_, "rejected", false);
  add(unknown_, "unknown", false);
  return text + " in " + age_text(elapsed);
}

host::ExitCode RunReport::exit_code() const {
  const bool failed = rejected_ + dead_ + cancelled_ + expired_ + unknown_ > 0;
  return failed ? host::ExitCode::work_failed : host::ExitCode::done;
}

}  // namespace millrace::cli
