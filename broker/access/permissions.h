// The decision: may a key's holder do what a message asks for? Pure, and the only place that says
// so. A kind of message that it does not name does not compile.
#pragma once

#include <optional>

#include "broker/access/grant.h"
#include "common/base/messages.h"

namespace millrace::broker {

// Why not, as Error{forbidden}; nothing when it is allowed.
//
// Two rules are kept elsewhere because they speak of tasks: the items of a Submit (below), and
// tasks of queues out of scope, which do not exist for a client (see FromClient).
std::optional<Error> refusal(const Grant& grant, const ClientMessage& message);
std::optional<Error> refusal(const Grant& grant, const WorkerMessage& message);

// Whether a beat under this key counts.
bool may_beat(const Grant& grant);

// Items for queues out of scope get a problem, so that they are refused and the others are not.
void mark_items_out_of_scope(const Grant& grant, Submit& submit);

}  // namespace millrace::broker
