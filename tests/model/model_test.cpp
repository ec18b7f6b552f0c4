// Random sequences of commands against the core and its reference. RC_PARAMS overrides the seed and
// the size, e.g. RC_PARAMS="seed=7 max_success=20000"; a failure prints what reproduces it.
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>
#include <cstdlib>

#include "tests/model/world.h"

namespace millrace::broker::test {
namespace {

// How often each act comes, in the order of Act: enough work and workers to get anywhere, and a
// little of everything that goes wrong.
constexpr std::size_t kWeights[] = {16, 1, 4, 3, 2, 2, 1, 1, 2, 1, 8,  1, 1, 1,
                                    18, 4, 3, 1, 1, 3, 2, 1, 1, 1, 12, 1, 1};
static_assert(std::size(kWeights) == static_cast<std::size_t>(Act::count));

Act act_drawn(std::size_t ticket) {
  for (std::size_t act = 0; act < std::size(kWeights); ++act) {
    if (ticket < kWeights[act]) return static_cast<Act>(act);
    ticket -= kWeights[act];
  }
  return Act::advance;
}

rc::Gen<Command> any_command() {
  std::size_t tickets = 0;
  for (const std::size_t weight : kWeights) tickets += weight;
  const auto byte = rc::gen::inRange<int>(0, 256);
  return rc::gen::map(rc::gen::tuple(rc::gen::inRange<std::size_t>(0, tickets), byte, byte, byte),
                      [](const std::tuple<std::size_t, int, int, int>& drawn) {
                        return Command{act_drawn(std::get<0>(drawn)),
                                       static_cast<std::uint8_t>(std::get<1>(drawn)),
                                       static_cast<std::uint8_t>(std::get<2>(drawn)),
                                       static_cast<std::uint8_t>(std::get<3>(drawn))};
                      });
}

RC_GTEST_PROP(Model, TheCoreKeepsItsPromises, ()) {
  const auto commands = *rc::gen::container<std::vector<Command>>(any_command());
  World world;
  for (const Command& command : commands) {
    if (!world.play(command)) {
      RC_LOG() << "at " << command << std::endl;
      RC_FAIL(world.problem());
    }
  }
  RC_CLASSIFY(world.ended() > 0, "somebody was told of an end");
}

}  // namespace
}  // namespace millrace::broker::test

int main(int argc, char** argv) {
  setenv("RC_PARAMS", "seed=1 max_success=2000 max_size=200", 0);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
