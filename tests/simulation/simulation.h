// One run of a whole cluster from one seed.
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>

#include "tests/simulation/mutants.h"
#include "tests/simulation/plan.h"
#include "tests/simulation/world.h"

namespace millrace::simulation {

struct RunOptions {
  std::uint64_t seed = 1;
  Size size;
  Mutant mutant = Mutant::none;
  std::FILE* story = nullptr;  // where it is told; nullptr: nowhere
  std::uint32_t focus = 0;     // of tasks, only this one's story; 0: of all
};

struct RunReport {
  std::optional<Violation> violation;
  std::uint64_t hash = 0;  // over all that happened; equal for equal seeds
  HappeningCounts counts{};
  Duration simulated;
  std::uint64_t steps = 0;
};

// Runs until everything has ended after the last fault, or a promise is broken.
RunReport run(const RunOptions& options);

}  // namespace millrace::simulation
