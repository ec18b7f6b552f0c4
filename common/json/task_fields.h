// A JSON object that describes a task, read strictly: a line of a batch, an item of a request.
#pragma once

#include <optional>
#include <string_view>

#include "common/json/strict_json.h"
#include "common/wire/task_codec.h"

namespace millrace::json {

// Whether the object names its queue: required, or unknown because the queue is told elsewhere.
enum class QueueKey { unknown, required };

// Fills `task`, which holds the defaults (also the queue where the key is unknown), from `value`.
// The id stays nil when none is given. `task` means nothing when there is a problem; its message
// says what is wrong and what is allowed. `what` names the value in it, e.g. "the line".
std::optional<Problem> read_task(const nlohmann::json& value, std::string_view what,
                                 QueueKey queue_key, const PeerLimits& limits,
                                 wire::TaskDescription& task);

// The same from one line of text.
std::optional<Problem> read_task_line(std::string_view line, QueueKey queue_key,
                                      const PeerLimits& limits, wire::TaskDescription& task);

// Checks `task`, which may have no id yet, against the rules of the broker.
std::optional<Problem> check_task(const wire::TaskDescription& task, const PeerLimits& limits);

}  // namespace millrace::json
