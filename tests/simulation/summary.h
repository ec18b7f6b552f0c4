// Adds up many runs, so that it is visible what really occurred in them.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "tests/simulation/simulation.h"

namespace millrace::simulation {

class Summary {
 public:
  void add(const RunReport& report);
  // Names of what never occurred and should have.
  std::vector<std::string> missing() const;
  // `seconds`: real time.
  void print(std::FILE* out, double seconds) const;

 private:
  std::uint64_t runs_ = 0;
  std::uint64_t steps_ = 0;
  double simulated_seconds_ = 0;
  HappeningCounts counts_{};
};

}  // namespace millrace::simulation
