#include "tests/simulation/summary.h"

#include <algorithm>

namespace millrace::simulation {

void Summary::add(const RunReport& report) {
  ++runs_;
  steps_ += report.steps;
  simulated_seconds_ += report.simulated.in_seconds();
  for (std::size_t i = 0; i < kHappenings; ++i) counts_[i] += report.counts[i];
}

std::vector<std::string> Summary::missing() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kHappenings; ++i) {
    const auto happening = static_cast<Happening>(i);
    // A sound cluster refuses no sound submit.
    const bool expected = happening != Happening::submit_refused;
    if (expected && counts_[i] == 0) names.emplace_back(name_of(happening));
  }
  return names;
}

void Summary::print(std::FILE* out, double seconds) const {
  for (std::size_t i = 0; i < kHappenings; ++i) {
    const std::string name(name_of(static_cast<Happening>(i)));
    std::fprintf(out, "  %-28s %10llu\n", name.c_str(),
                 static_cast<unsigned long long>(counts_[i]));
  }
  const double real = std::max(seconds, 1e-6);
  std::fprintf(out, "%llu seeds in %.1f s: %.0f seeds/s, %.0f steps/s, %.0f times real time\n",
               static_cast<unsigned long long>(runs_), seconds, static_cast<double>(runs_) / real,
               static_cast<double>(steps_) / real, simulated_seconds_ / real);
}

}  // namespace millrace::simulation
