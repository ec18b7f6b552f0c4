// Changes tasks by what they are, not by their ids: the conditions of the command line, and the
// steps that the broker takes them in.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "client/cli/command.h"

namespace millrace::cli {

struct FilterOptions {
  std::string queue;
  std::string state;
  std::string reason;
  std::string priority;  // "N" or "N-M"
  Duration older_than;
  Duration newer_than;
  bool all = false;
  std::uint32_t rate = 0;  // tasks a second; 0: as fast as the broker changes them
};

// Adds --queue, --priority, --older-than, --newer-than, --all and --rate to `command`.
void add_filter_options(CLI::App& command, FilterOptions& options);
void add_state_option(CLI::App& command, FilterOptions& options);
void add_reason_option(CLI::App& command, FilterOptions& options);

// True when any condition was given.
bool has_condition(const FilterOptions& options);

// Ages are counted back from `now`. Errors: invalid.
Result<TaskFilter> filter_of(const FilterOptions& options, Time now);

// Changes all that `filter` means, step by step, no faster than `rate` a second when it is not 0.
// Returns how many changed; after an interrupt those so far. On an error `changed` has those so
// far.
Status change_all(CommandContext& context, client::Client& client, TaskAction action,
                  const TaskFilter& filter, std::uint32_t rate, std::uint64_t& changed);

}  // namespace millrace::cli
