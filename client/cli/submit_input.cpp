#include "client/cli/submit_input.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace millrace::cli {
namespace {

constexpr std::size_t kLineBytesMax = 32U << 20;

std::string name_of_file(const std::string& file) {
  return file == "-" ? "standard input" : file;
}

}  // namespace

SubmitInput::SubmitInput(SubmitInputOptions options, client::Task defaults, int stop_descriptor)
    : options_(std::move(options)),
      defaults_(std::move(defaults)),
      stop_descriptor_(stop_descriptor) {}

SubmitInput::~SubmitInput() {
  if (descriptor_ > STDIN_FILENO) ::close(descriptor_);
}

std::optional<std::uint64_t> SubmitInput::total() const {
  if (options_.count > 0) return options_.count;
  if (options_.streaming) return std::nullopt;
  return checked_tasks_;
}

// ---- reading ------------------------------------------------------------------------------------

Status SubmitInput::open() {
  const std::string name = name_of_file(options_.file);
  descriptor_ =
      options_.file == "-" ? STDIN_FILENO : ::open(options_.file.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
    return Error{ErrorCode::misconfigured, "cannot open " + name + ": " + std::strerror(errno)};
  }
  if (S_ISDIR(status.st_mode)) {
    return Error{ErrorCode::misconfigured, name + " is a directory; give a file of lines"};
  }
  regular_file_ = S_ISREG(status.st_mode);
  if (regular_file_) start_offset_ = std::max<off_t>(0, ::lseek(descriptor_, 0, SEEK_CUR));
  return Done();
}

ssize_t SubmitInput::read(char* buffer, std::size_t size, bool may_pause) const {
  for (;;) {
    std::array<pollfd, 2> items = {pollfd{descriptor_, POLLIN, 0},
                                   pollfd{stop_descriptor_, POLLIN, 0}};
    const int ready = ::poll(items.data(), items.size(), may_pause ? 0 : -1);
    if (ready < 0 && errno != EINTR) return kSourceFailed;
    if (ready < 0) continue;
    if (items[1].revents != 0) return kSourceStopped;
    if (items[0].revents == 0) return kSourcePauses;
    const ssize_t count = ::read(descriptor_, buffer, size);
    if (count >= 0) return count;
    if (errno != EINTR && errno != EAGAIN) return kSourceFailed;
  }
}

LineReader SubmitInput::make_reader(bool may_pause) {
  return LineReader(
      [this, may_pause](char* buffer, std::size_t size) { return read(buffer, size, may_pause); },
      kLineBytesMax);
}

std::string SubmitInput::place(std::size_t line, std::size_t column) const {
  std::string text = name_of_file(options_.file) + ":" + std::to_string(line) + ":";
  if (column > 0) text += std::to_string(column) + ":";
  return text + " ";
}

bool SubmitInput::is_blank(std::string_view line) const {
  return !options_.lines && line.find_first_not_of(" \t\r") == std::string_view::npos;
}

std::optional<json::Problem> SubmitInput::parse(std::string_view line, client::Task& task) const {
  task = defaults_;
  if (!options_.lines) return json::read_task_line(line, json::QueueKey::unknown, limits_, task);
  task.payload = SharedBytes::copy_of(line);
  return json::check_task(task, limits_);
}

// ---- the pass that checks -----------------------------------------------------------------------

Result<std::vector<std::string>> SubmitInput::check() {
  std::vector<std::string> problems;
  if (options_.count > 0) {
    client::Task task = defaults_;
    task.payload = SharedBytes::copy_of(options_.payload.value_or("task"));
    const std::optional<json::Problem> found = json::check_task(task, limits_);
    if (found) problems.push_back(found->message);
    return problems;
  }
  const Status opened = open();
  if (!opened) return opened.error();
  if (!options_.streaming) {
    const Status read_through = check_lines(problems);
    if (!read_through) return read_through.error();
    if (faults_ > kProblemsMax) {
      problems.push_back("and " + std::to_string(faults_ - kProblemsMax) + " more bad lines");
    }
  }
  if (options_.streaming || regular_file_) {
    reader_.emplace(make_reader(options_.streaming));
  } else {
    reader_.emplace([this](char* buffer, std::size_t size) { return spool_.read(buffer, size); },
                    kLineBytesMax);
  }
  return problems;
}

Status SubmitInput::check_lines(std::vector<std::string>& problems) {
  LineReader lines = make_reader(false);
  std::string_view line;
  for (;;) {
    switch (lines.next(line)) {
      case LineStatus::line: {
        check_line(line, lines.number(), problems);
        if (regular_file_) break;
        Status kept = spool_.append(line);
        if (kept) kept = spool_.append("\n");
        if (!kept) return kept;
        break;
      }
      case LineStatus::end:
        if (!regular_file_) return spool_.rewind();
        ::lseek(descriptor_, start_offset_, SEEK_SET);
        return Done();
      case LineStatus::too_long:
        ++faults_;
        problems.push_back(place(lines.number(), 0) + "the line is longer than " +
                           std::to_string(kLineBytesMax) + " bytes");
        return Done();
      case LineStatus::failed:
        return Error{ErrorCode::io,
                     "cannot read " + name_of_file(options_.file) + ": " + std::strerror(errno)};
      case LineStatus::pause:
      case LineStatus::stopped:
        return Error{ErrorCode::unavailable, "interrupted"};
    }
  }
}

void SubmitInput::check_line(std::string_view line, std::size_t number,
                             std::vector<std::string>& problems) {
  if (is_blank(line)) return;
  client::Task task;
  std::optional<json::Problem> found = parse(line, task);
  if (!found) found = note_id(task, number);
  if (found) {
    ++faults_;
    if (faults_ <= kProblemsMax) {
      problems.push_back(place(number, found->column) + found->message);
    }
  }
}

// An id may stand twice when everything else is the same too.
std::optional<json::Problem> SubmitInput::note_id(const client::Task& task, std::size_t number) {
  if (!task.id.is_nil()) {
    const std::uint64_t hash = wire::content_hash(task);
    const auto [known, is_new] = known_.try_emplace(task.id, Known{hash, number, false});
    if (!is_new && known->second.content_hash != hash) {
      return json::Problem{0, "the id " + to_text(task.id) + " stands in line " +
                                  std::to_string(known->second.line) +
                                  " with other content; ids name one task each"};
    }
    if (!is_new) {
      ++repeated_lines_;
      return std::nullopt;
    }
  }
  ++checked_tasks_;
  return std::nullopt;
}

// ---- the pass that gives ------------------------------------------------------------------------

client::SourceState SubmitInput::next(client::Task& task) {
  if (problem_.has_value()) return client::SourceState::end;
  if (options_.count == 0) return next_line(task);
  if (generated_ == options_.count) return client::SourceState::end;
  ++generated_;
  task = defaults_;
  task.payload = SharedBytes::copy_of(
      options_.payload.has_value() ? *options_.payload : "task " + std::to_string(generated_));
  return client::SourceState::task;
}

client::SourceState SubmitInput::next_line(client::Task& task) {
  std::string_view line;
  for (;;) {
    switch (reader_->next(line)) {
      case LineStatus::line: {
        if (is_blank(line)) continue;
        const std::optional<json::Problem> found = parse(line, task);
        if (found) return end_with(place(reader_->number(), found->column) + found->message);
        const auto known = known_.find(task.id);
        if (known != known_.end() && std::exchange(known->second.given, true)) continue;
        return client::SourceState::task;
      }
      case LineStatus::end:
      case LineStatus::stopped:
        return client::SourceState::end;
      case LineStatus::pause:
        return client::SourceState::pause;
      case LineStatus::too_long:
        return end_with(place(reader_->number(), 0) + "the line is longer than " +
                        std::to_string(kLineBytesMax) + " bytes");
      case LineStatus::failed:
        return end_with("cannot read " + name_of_file(options_.file) + ": " + std::strerror(errno));
    }
  }
}

client::SourceState SubmitInput::end_with(std::string problem) {
  problem_ = std::move(problem);
  return client::SourceState::end;
}

}  // namespace millrace::cli
