// Messages as text that shows every field, for comparison and for the failure report. A field added
// to a message breaks the structured bindings here, so that no test forgets it.
#pragma once

#include <string>

#include "common/base/messages.h"
#include "common/wire/task_codec.h"

namespace millrace::wire {

std::string text_of(const ClientMessage& message);
std::string text_of(const ClientReply& reply);
std::string text_of(const WorkerMessage& message);
std::string text_of(const WorkerReply& reply);
std::string text_of(const Beat& beat);
std::string text_of(const Pulse& pulse);
std::string text_of(const TaskSpec& spec);
std::string text_of(const TaskDescription& task);

}  // namespace millrace::wire
