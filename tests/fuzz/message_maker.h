// Messages as a hostile but well-formed peer would send them: few ids, so that they meet, and
// numbers at every edge. Each has gone over the wire, so that it is just what a decoder lets in.
#pragma once

#include <optional>

#include "common/base/messages.h"
#include "common/wire/task_codec.h"
#include "tests/fuzz/input.h"

namespace millrace::fuzz {

// One of ten tasks, one of four workers, one of four clients.
TaskId any_task_id(Input& input);
WorkerId any_worker_id(Input& input);
ClientId any_client_id(Input& input);

// A task that passes the check of its sender; nothing when the bytes make none.
std::optional<TaskSpec> any_task(Input& input);

// Nothing when the bytes make a message that the receiver's decoder refuses.
std::optional<ClientMessage> any_client_message(Input& input);
std::optional<WorkerMessage> any_worker_message(Input& input);
std::optional<ClientReply> any_client_reply(Input& input);
std::optional<WorkerReply> any_worker_reply(Input& input);

// Ends the process unless the receiver takes what was sent; returns it as received.
ClientMessage received(const ClientMessage& message);
WorkerMessage received(const WorkerMessage& message);
ClientReply received(const ClientReply& reply);
WorkerReply received(const WorkerReply& reply);

}  // namespace millrace::fuzz
