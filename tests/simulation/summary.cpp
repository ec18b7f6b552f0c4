#include "tests/simulation/summary.h"

#include <algorithm>

namespace millrace::simulation {
namespace {

// As a JSON string: names and sentences of this program, in ASCII.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out + "\"";
}

}  // namespace

void Summary::add(std::uint64_t seed, const RunReport& report) {
  ++runs_;
  steps_ += report.steps;
  simulated_seconds_ += report.simulated.in_seconds();
  hash_ = (hash_ ^ report.hash) * 0x100000001b3U;
  if (report.violation.has_value()) broken_.emplace_back(seed, *report.violation);
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
  std::fprintf(out,
               "%llu seeds in %.1f s: %.0f seeds/s, %.0f steps/s, %.0f times real time\n"
               "trace %016llx\n",
               static_cast<unsigned long long>(runs_), seconds, static_cast<double>(runs_) / real,
               static_cast<double>(steps_) / real, simulated_seconds_ / real,
               static_cast<unsigned long long>(hash_));
}

void Summary::print_json(std::FILE* out, double seconds) const {
  std::fprintf(out,
               "{\"seeds\": %llu, \"events\": %llu, \"simulated_seconds\": %.0f, "
               "\"wall_seconds\": %.3f, \"trace\": \"%016llx\", \"failures\": [",
               static_cast<unsigned long long>(runs_), static_cast<unsigned long long>(steps_),
               simulated_seconds_, seconds, static_cast<unsigned long long>(hash_));
  const char* between = "";
  for (const auto& [seed, violation] : broken_) {
    std::fprintf(out, "%s{\"seed\": %llu, \"promise\": %s, \"what\": %s}", between,
                 static_cast<unsigned long long>(seed), quoted(violation.promise).c_str(),
                 quoted(violation.what).c_str());
    between = ", ";
  }
  std::fputs("], \"happenings\": {", out);
  between = "";
  for (std::size_t i = 0; i < kHappenings; ++i) {
    std::fprintf(out, "%s%s: %llu", between,
                 quoted(std::string(name_of(static_cast<Happening>(i)))).c_str(),
                 static_cast<unsigned long long>(counts_[i]));
    between = ", ";
  }
  std::fputs("}}\n", out);
}

}  // namespace millrace::simulation
