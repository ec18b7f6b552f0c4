// The test of the test: every fault built into the shell is found within few seeds, and as a breach
// of a promise that it really breaks.
#include <gtest/gtest.h>

#include <cstdio>
#include <set>
#include <string>

#include "tests/simulation/simulation.h"

namespace millrace::simulation {
namespace {

constexpr std::uint64_t kSeedsMost = 400;

// The promises that may be seen to break first.
std::set<std::string> promises_broken_by(Mutant mutant) {
  switch (mutant) {
    case Mutant::none:
      return {};
    case Mutant::send_before_durable:
    case Mutant::acknowledge_before_sync:
      return {"P1", "P2", "P3", "P4", "P8", "P20", "P21"};
    case Mutant::ignore_fences:
      return {"P3", "P19", "P21"};
    case Mutant::swap_results:
      return {"P2", "P21"};
    case Mutant::skip_adoption:
      return {"P4", "P7"};
    case Mutant::judge_before_listening:
      return {"P7"};
    case Mutant::forget_attempts:
      return {"P4"};
    case Mutant::forget_fences:
      return {"P3"};
    case Mutant::forget_cancels:
      return {"P20"};
    case Mutant::forget_ended:
      return {"P1", "P5", "P8"};
    case Mutant::forget_books:
      return {"P5"};
    case Mutant::ignore_delays:
      return {"P13"};
    case Mutant::lose_ends:
      return {"P19"};
    case Mutant::ignore_priorities:
      return {"P9"};
    case Mutant::follow_wall_clock:
      return {"P6", "P7", "P13"};
  }
  return {};
}

class Mutants : public testing::TestWithParam<NamedMutant> {};

TEST_P(Mutants, AreFound) {
  for (std::uint64_t seed = 1; seed <= kSeedsMost; ++seed) {
    RunOptions options;
    options.seed = seed;
    options.mutant = GetParam().mutant;
    const RunReport report = run(options);
    if (!report.violation.has_value()) continue;
    std::printf("%s: found by seed %llu as %s: %s\n", std::string(GetParam().name).c_str(),
                static_cast<unsigned long long>(seed), report.violation->promise.c_str(),
                report.violation->what.c_str());
    EXPECT_TRUE(promises_broken_by(GetParam().mutant).contains(report.violation->promise));
    return;
  }
  FAIL() << GetParam().name << " is not found within " << kSeedsMost << " seeds";
}

// Those seeds find nothing where there is nothing to be found.
TEST(NoMutant, IsFound) {
  for (std::uint64_t seed = 1; seed <= kSeedsMost; ++seed) {
    RunOptions options;
    options.seed = seed;
    const RunReport report = run(options);
    ASSERT_FALSE(report.violation.has_value())
        << "seed " << seed << " breaks " << report.violation->promise << ": "
        << report.violation->what;
  }
}

std::string name_of_case(const testing::TestParamInfo<NamedMutant>& mutant) {
  return std::string(mutant.param.name);
}

INSTANTIATE_TEST_SUITE_P(All, Mutants, testing::ValuesIn(kMutants), name_of_case);

}  // namespace
}  // namespace millrace::simulation
