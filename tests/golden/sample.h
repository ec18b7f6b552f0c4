// The messages that the golden fixtures hold, as values: every message, in several variants, at the
// edges of its ranges.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "common/wire/control_codec.h"
#include "common/wire/task_codec.h"

namespace millrace::golden {

using Value = std::variant<ClientMessage, ClientReply, WorkerMessage, WorkerReply, Beat, Pulse,
                           wire::TaskDescription>;

struct Sample {
  std::string name;   // of its files
  std::string about;  // what is special about it, one line
  Value value;
};

std::vector<Sample> task_and_heartbeat_samples();
std::vector<Sample> client_message_samples();
std::vector<Sample> client_reply_samples();
std::vector<Sample> worker_message_samples();
std::vector<Sample> worker_reply_samples();

// All of the above.
std::vector<Sample> all_samples();

}  // namespace millrace::golden
