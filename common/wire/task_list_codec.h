// TaskList and Explained, the messages with whole tasks. Internal to the control codec.
#pragma once

#include "common/wire/control_frame.h"
#include "common/wire/field_reader.h"

namespace millrace::wire {

// Requires frame.envelope to carry a TaskList. What is wrong is remembered in `reader`.
TaskList read_task_list(const ControlFrame& frame, FieldReader& reader);

Frames encode_task_list(const TaskList& list);

// As above, for an Explained.
Explained read_explained(const ControlFrame& frame, FieldReader& reader);

Frames encode_explained(const Explained& explained);

}  // namespace millrace::wire
