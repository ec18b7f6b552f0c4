// The command line of millrace-sim.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"
#include "tests/simulation/simulation.h"

namespace millrace::simulation {

struct Options {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
  Size size;
  NamedMutant mutant{Mutant::none, ""};
  bool verbose = false;
  bool coverage = false;    // every kind of fault and end must have occurred
  bool keep_going = false;  // after a broken promise
  bool json = false;        // the summary as one line for programs
  bool help = false;
};

// Errors: invalid, with a line for a person.
Result<Options> parse_options(int argc, const char* const* argv);

std::string usage();

}  // namespace millrace::simulation
