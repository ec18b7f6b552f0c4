// Adds up many runs, so that it is visible what really occurred in them.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/simulation.h"

namespace millrace::simulation {

class Summary {
 public:
  void add(std::uint64_t seed, const RunReport& report);
  bool sound() const { return broken_.empty(); }
  // Names of what never occurred and should have.
  std::vector<std::string> missing() const;
  // `seconds`: real time.
  void print(std::FILE* out, double seconds) const;
  // The same as one line of JSON, with what was broken.
  void print_json(std::FILE* out, double seconds) const;

 private:
  std::uint64_t runs_ = 0;
  std::uint64_t steps_ = 0;
  double simulated_seconds_ = 0;
  std::uint64_t hash_ = 0;
  std::vector<std::pair<std::uint64_t, Violation>> broken_;  // by seed
  HappeningCounts counts_{};
};

}  // namespace millrace::simulation
