#include "tests/simulation/run_seeds.h"

#include <chrono>
#include <cstdio>
#include <string>

#include "tests/simulation/summary.h"

namespace millrace::simulation {
namespace {

std::string line_to_run(const Options& options, std::uint64_t seed) {
  std::string line = "millrace-sim " + std::to_string(seed) + " --verbose";
  if (options.size.tasks != 0) line += " --tasks " + std::to_string(options.size.tasks);
  if (options.size.workers != 0) line += " --workers " + std::to_string(options.size.workers);
  if (!options.mutant.name.empty()) line += " --mutant " + std::string(options.mutant.name);
  return line;
}

RunReport run_one(const Options& options, std::uint64_t seed, std::FILE* story,
                  std::uint32_t focus = 0) {
  return run(RunOptions{seed, options.size, options.mutant.mutant, story, focus});
}

void tell_broken(const Options& options, std::uint64_t seed, const Violation& violation) {
  std::printf("seed %llu breaks %s: %s\nto run it again: %s\n",
              static_cast<unsigned long long>(seed), violation.promise.c_str(),
              violation.what.c_str(), line_to_run(options, seed).c_str());
}

}  // namespace

int run_seeds(const Options& options) {
  const auto began = std::chrono::steady_clock::now();
  Summary summary;
  for (std::uint64_t seed = options.first; seed <= options.last; ++seed) {
    const RunReport report = run_one(options, seed, options.verbose ? stdout : nullptr);
    summary.add(seed, report);
    if (!report.violation.has_value()) continue;
    if (options.json) continue;
    if (!options.verbose && !options.keep_going) {
      run_one(options, seed, stdout, report.violation->task());
    }
    tell_broken(options, seed, *report.violation);
    if (!options.keep_going) return 1;
  }
  const std::chrono::duration<double> real = std::chrono::steady_clock::now() - began;
  options.json ? summary.print_json(stdout, real.count()) : summary.print(stdout, real.count());
  const std::vector<std::string> missing =
      options.coverage ? summary.missing() : std::vector<std::string>();
  for (const std::string& name : missing) std::printf("never occurred: %s\n", name.c_str());
  return missing.empty() && summary.sound() ? 0 : 1;
}

}  // namespace millrace::simulation
