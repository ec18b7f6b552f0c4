// One line of a batch: a JSON object that describes a task, read strictly.
#pragma once

#include <optional>
#include <string_view>

#include "client/cli/strict_json.h"
#include "common/wire/task_codec.h"

namespace millrace::cli {

// Fills `task`, which holds the defaults (flags of the command; queue included), from `line`. The
// id stays nil when the line gives none. `task` means nothing when there is a problem; its message
// says what is wrong and what is allowed.
std::optional<LineProblem> parse_task_line(std::string_view line, const PeerLimits& limits,
                                           wire::TaskDescription& task);

// Checks `task`, which may have no id yet, against the rules of the broker.
std::optional<LineProblem> check_task_line(const wire::TaskDescription& task,
                                           const PeerLimits& limits);

}  // namespace millrace::cli
