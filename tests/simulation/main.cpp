#include <cstdio>

#include "tests/simulation/run_seeds.h"

int main(int argc, char** argv) {
  namespace simulation = millrace::simulation;
  const millrace::Result<simulation::Options> options = simulation::parse_options(argc, argv);
  if (!options.ok()) {
    std::fprintf(stderr, "millrace-sim: %s\n", options.error().message.c_str());
    return 2;
  }
  if (options->help) {
    std::fputs(simulation::usage().c_str(), stdout);
    return 0;
  }
  return simulation::run_seeds(*options);
}
