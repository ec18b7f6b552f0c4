// Tasks for people: one in full, or many as a table.
#pragma once

#include <cstdint>
#include <string>

#include "client/cli/command.h"

namespace millrace::cli {

// All that is known of `task`, a line each, without the last newline.
std::string task_text(const TaskView& task, Time now);

// Lists up to `limit` tasks page by page: a table, or a JSON line each. Says on stderr when there
// are more. The exit code.
int run_task_list(CommandContext& context, const TaskFilter& filter, std::uint64_t limit,
                  bool json);

}  // namespace millrace::cli
