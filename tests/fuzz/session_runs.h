// One run of a session with all that can happen to it. Ends the process where a property is broken.
#pragma once

#include "tests/fuzz/input.h"

namespace millrace::fuzz {

void run_client_session(Input& input);
void run_worker_session(Input& input);

}  // namespace millrace::fuzz
