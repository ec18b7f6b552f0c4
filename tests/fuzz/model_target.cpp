// Any bytes are a history: four a command, played by the broker's core and by the reference of its
// promises, which judges every answer, record and choice (tests/model).
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/input.h"
#include "tests/fuzz/property.h"
#include "tests/model/world.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using millrace::broker::test::Act;
  millrace::fuzz::Input input({data, size});
  millrace::broker::test::World world;
  while (!input.empty()) {
    const auto act = static_cast<Act>(input.below(static_cast<std::size_t>(Act::count)));
    const std::uint8_t a = input.byte();
    const std::uint8_t b = input.byte();
    const bool right = world.play({act, a, b, input.byte()});
    millrace::fuzz::require(right, "the core does as its reference", world.problem());
  }
  return 0;
}
