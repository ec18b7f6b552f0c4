// The simulation itself: the seed decides everything, and what is wrong is found.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "tests/simulation/node_clock.h"
#include "tests/simulation/options.h"
#include "tests/simulation/simulation.h"
#include "tests/simulation/summary.h"

namespace millrace::simulation {
namespace {

RunOptions with_seed(std::uint64_t seed) {
  RunOptions options;
  options.seed = seed;
  return options;
}

TEST(Simulation, TheSameSeedIsTheSameRun) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const RunReport first = run(with_seed(seed));
    const RunReport second = run(with_seed(seed));
    EXPECT_EQ(first.hash, second.hash) << "seed " << seed;
    EXPECT_EQ(first.steps, second.steps) << "seed " << seed;
    EXPECT_EQ(first.counts, second.counts) << "seed " << seed;
  }
}

TEST(Simulation, AnotherSeedIsAnotherRun) {
  EXPECT_NE(run(with_seed(1)).hash, run(with_seed(2)).hash);
}

TEST(Simulation, TellingTheStoryChangesNothing) {
  std::FILE* nowhere = std::fopen("/dev/null", "w");
  ASSERT_NE(nowhere, nullptr);
  RunOptions told = with_seed(7);
  told.story = nowhere;
  EXPECT_EQ(run(told).hash, run(with_seed(7)).hash);
  std::fclose(nowhere);
}

TEST(Simulation, TheSizeMayBeSet) {
  RunOptions options = with_seed(3);
  options.size = Size{500, 12};
  const RunReport report = run(options);
  ASSERT_FALSE(report.violation.has_value()) << report.violation->what;
  EXPECT_EQ(report.counts[static_cast<std::size_t>(Happening::client_submits)], 500U);
}

World world_at_start() {
  return World(1, Story(nullptr));
}

TEST(NodeClock, AProcessDoesNotNoticeThatTheClockIsSet) {
  World world = world_at_start();
  NodeClock clock(world, Duration::hours(1), 0);
  clock.set_error(Duration::days(-365));
  EXPECT_EQ(clock.now(), world.now() + Duration::hours(1));
  clock.start_process();
  EXPECT_EQ(clock.now(), world.now() - Duration::days(365));
}

TEST(NodeClock, RingsWhenItsProcessSeesTheTime) {
  for (const std::int64_t drift : {-500, 0, 499}) {
    World world = world_at_start();
    NodeClock clock(world, Duration::days(-2), drift);
    const Time shown = clock.now() + Duration::nanoseconds(123'456'789'012);
    world.at(clock.when(shown), [] {});
    ASSERT_TRUE(world.run_step());
    EXPECT_GE(clock.now(), shown) << drift;
    EXPECT_LT(clock.now(), shown + Duration::milliseconds(1)) << drift;
  }
}

TEST(Violation, KnowsItsTask) {
  EXPECT_EQ((Violation{"P3", "task 17 runs twice"}.task()), 17U);
  EXPECT_EQ((Violation{"P5", "the books do not balance"}.task()), 0U);
}

TEST(Summary, NamesWhatNeverOccurred) {
  const Summary nothing;
  const std::vector<std::string> missing = nothing.missing();
  EXPECT_NE(std::find(missing.begin(), missing.end(), "broker_crashes"), missing.end());
  EXPECT_NE(std::find(missing.begin(), missing.end(), "ended_expired"), missing.end());
}

template <std::size_t kCount>
Result<Options> parse(const std::array<const char*, kCount>& arguments) {
  return parse_options(static_cast<int>(kCount), arguments.data());
}

TEST(SimulationOptions, RefusesWhatItCannotUse) {
  using Two = std::array<const char*, 2>;
  using Three = std::array<const char*, 3>;
  EXPECT_FALSE(parse(Two{"millrace-sim", "five"}).ok());
  EXPECT_FALSE(parse(Two{"millrace-sim", "--seeds"}).ok());
  EXPECT_FALSE(parse(Three{"millrace-sim", "--seeds", "9..3"}).ok());
  EXPECT_FALSE(parse(Three{"millrace-sim", "--tasks", "0"}).ok());
  EXPECT_FALSE(parse(Three{"millrace-sim", "--mutant", "nobody"}).ok());
  EXPECT_FALSE(parse(Three{"millrace-sim", "--unknown", "1"}).ok());
}

TEST(SimulationOptions, ReadsARangeOfSeeds) {
  const auto options = parse(std::array<const char*, 3>{"millrace-sim", "--seeds", "3..9"});
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->first, 3U);
  EXPECT_EQ(options->last, 9U);
  EXPECT_FALSE(options->json);
}

}  // namespace
}  // namespace millrace::simulation
