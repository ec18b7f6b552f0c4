// millrace-sim behind its command line.
#pragma once

#include "tests/simulation/options.h"

namespace millrace::simulation {

// Runs the seeds, prints what was seen, and the story of the first run that broke a promise with
// the line to run it again. Returns the exit code.
int run_seeds(const Options& options);

}  // namespace millrace::simulation
