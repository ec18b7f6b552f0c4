// Where the tasks of a submit come from: lines of a file or a pipe, or a count of generated ones.
// All lines are checked before the first is submitted, unless they are streamed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/cli/line_reader.h"
#include "client/cli/spool.h"
#include "client/cpp/client.h"
#include "common/json/task_fields.h"

namespace millrace::cli {

struct SubmitInputOptions {
  std::string file = "-";   // "-": standard input
  bool lines = false;       // each line is a payload as it stands
  bool streaming = false;   // submit while reading
  std::uint64_t count = 0;  // generated tasks instead of lines
  std::optional<std::string> payload;
};

// Not thread-safe.
class SubmitInput {
 public:
  // `defaults` is what each task starts from. Reading ends when `stop_descriptor` is readable.
  SubmitInput(SubmitInputOptions options, client::Task defaults, int stop_descriptor);
  ~SubmitInput();
  SubmitInput(const SubmitInput&) = delete;
  SubmitInput& operator=(const SubmitInput&) = delete;

  // Opens, and unless streaming reads everything through. The faults, each a line "FILE:LINE:
  // what", at most kProblemsMax of them and then how many more; empty when all is well. Errors:
  // misconfigured (cannot be opened), io, unavailable (stopped by the user).
  Result<std::vector<std::string>> check();
  static constexpr std::size_t kProblemsMax = 10;

  // The next task; see TaskSource. Requires check() without faults.
  client::SourceState next(client::Task& task);
  // Why next() ended before the input did: a bad line (streaming, or a file that changed
  // meanwhile), or a failed read.
  const std::optional<std::string>& problem() const { return problem_; }

  // How many tasks next() will give in all; nothing while streaming.
  std::optional<std::uint64_t> total() const;
  // Lines that repeat an earlier one, id and all: submitted once.
  std::uint64_t repeated_lines() const { return repeated_lines_; }

 private:
  struct Known {
    std::uint64_t content_hash = 0;
    std::size_t line = 0;
    bool given = false;
  };

  Status open();
  LineReader make_reader(bool may_pause);
  ssize_t read(char* buffer, std::size_t size, bool may_pause) const;
  Status check_lines(std::vector<std::string>& problems);
  void check_line(std::string_view line, std::size_t number, std::vector<std::string>& problems);
  std::optional<json::Problem> parse(std::string_view line, client::Task& task) const;
  std::optional<json::Problem> note_id(const client::Task& task, std::size_t number);
  client::SourceState next_line(client::Task& task);
  client::SourceState end_with(std::string problem);
  bool is_blank(std::string_view line) const;
  std::string place(std::size_t line, std::size_t column) const;

  SubmitInputOptions options_;
  client::Task defaults_;
  PeerLimits limits_;
  int stop_descriptor_;
  int descriptor_ = -1;
  bool regular_file_ = false;
  off_t start_offset_ = 0;
  Spool spool_;
  std::optional<LineReader> reader_;         // of the pass that submits
  std::unordered_map<TaskId, Known> known_;  // lines with an id of their own; never iterated
  std::uint64_t checked_tasks_ = 0;
  std::uint64_t repeated_lines_ = 0;
  std::uint64_t faults_ = 0;
  std::uint64_t generated_ = 0;
  std::optional<std::string> problem_;
};

}  // namespace millrace::cli
