// Where a task stands, in one line for a person.
#pragma once

#include <string>

#include "broker/core/effect.h"

namespace millrace::broker {

// From the figures of `explained`, whose text is ignored. Of a task that ended it says when and by
// what; of one that waits, for what and what can be done. Pure.
std::string explanation_text(const Explained& explained, Time now);

}  // namespace millrace::broker
