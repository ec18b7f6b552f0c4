#include "client/cli/bulk_change.h"

#include <poll.h>

#include <algorithm>

#include "common/base/shown_text.h"
#include "common/host/clock.h"
#include "common/host/configuration.h"

namespace millrace::cli {
namespace {

// A rate is kept by steps of a tenth of a second's worth.
constexpr std::uint32_t kStepsPerSecond = 10;

Error bad_priority(const std::string& text) {
  return {ErrorCode::invalid, "'" + shown_text(text) +
                                  "' is not a priority; write one of 0 to 9, or a range such as "
                                  "0-3"};
}

// "4" or "0-3".
Status read_priority(const std::string& text, TaskFilter& filter) {
  const auto digit = [&](std::size_t at) { return static_cast<std::uint8_t>(text[at] - '0'); };
  const bool one = text.size() == 1;
  const bool range = text.size() == 3 && text[1] == '-';
  if ((!one && !range) || digit(0) > kPriorityHighest ||
      digit(text.size() - 1) > kPriorityHighest || digit(0) > digit(text.size() - 1)) {
    return bad_priority(text);
  }
  filter.priority_least = digit(0);
  filter.priority_most = digit(text.size() - 1);
  return Done{};
}

// Until `end`, or until a stop signal.
void wait_until(CommandContext& context, const host::Clock& clock, Time end) {
  for (Time now = clock.now(); now < end && context.may_proceed(); now = clock.now()) {
    pollfd stop{context.stop_descriptor(), POLLIN, 0};
    ::poll(&stop, 1, static_cast<int>((end - now).in_milliseconds()) + 1);
  }
}

}  // namespace

void add_filter_options(CLI::App& command, FilterOptions& options) {
  command.add_option("--queue", options.queue, "Of this queue");
  command.add_option("--priority", options.priority, "Of this priority, or of a range such as 0-3");
  host::add_duration(command, "--older-than", options.older_than, "Accepted longer ago than this");
  host::add_duration(command, "--newer-than", options.newer_than, "Accepted since then");
  command.add_flag("--all", options.all, "Every one");
  command.add_option("--rate", options.rate, "At most this many a second");
}

void add_state_option(CLI::App& command, FilterOptions& options) {
  command.add_option("--state", options.state, "delayed, pending or in_progress");
}

void add_reason_option(CLI::App& command, FilterOptions& options) {
  command.add_option(
      "--reason", options.reason,
      "That died of this: failed, failed_for_good, timed_out, crashed or lease_lost");
}

bool has_condition(const FilterOptions& options) {
  return !options.queue.empty() || !options.state.empty() || !options.reason.empty() ||
         !options.priority.empty() || options.older_than > Duration() ||
         options.newer_than > Duration();
}

Result<TaskFilter> filter_of(const FilterOptions& options, Time now) {
  TaskFilter filter;
  filter.queue = options.queue;
  if (!options.state.empty()) {
    const std::optional<TaskState> state = task_state_named(options.state);
    if (!state) return Error{ErrorCode::invalid, "'" + shown_text(options.state) + "' is no state"};
    filter.state = *state;
  }
  if (!options.reason.empty()) {
    const std::optional<Reason> reason = reason_named(options.reason);
    if (!reason) {
      return Error{ErrorCode::invalid, "'" + shown_text(options.reason) + "' is no reason"};
    }
    filter.reason = *reason;
  }
  if (!options.priority.empty()) {
    const Status read = read_priority(options.priority, filter);
    if (!read) return read.error();
  }
  if (options.older_than > Duration()) filter.accepted_before = now - options.older_than;
  if (options.newer_than > Duration()) filter.accepted_after = now - options.newer_than;
  return filter;
}

Status change_all(CommandContext& context, client::Client& client, TaskAction action,
                  const TaskFilter& filter, std::uint32_t rate, std::uint64_t& changed) {
  const host::Clock clock;
  const Time began = clock.now();
  const std::uint32_t limit = rate == 0 ? 0 : std::max(1U, rate / kStepsPerSecond);
  std::uint64_t cursor = 0;
  do {
    const Result<TasksChanged> step = client.change_tasks(action, filter, cursor, limit);
    if (!step) return step.error();
    changed += step->count;
    cursor = step->next_cursor;
    if (rate > 0 && cursor != 0) {
      const double seconds = static_cast<double>(changed) / rate;
      wait_until(context, clock,
                 began + Duration::milliseconds(static_cast<std::int64_t>(seconds * 1'000)));
    }
  } while (cursor != 0 && context.may_proceed());
  return Done{};
}

}  // namespace millrace::cli
