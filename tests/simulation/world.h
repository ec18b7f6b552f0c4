// Virtual time: steps in order of (time, number), one source of randomness, one story. Everything
// that happens in a run happens in a step of the world, so the seed alone decides the run.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "common/base/time.h"
#include "tests/simulation/story.h"

namespace millrace::simulation {

using Step = std::function<void()>;

// A promise that was broken, in the words of docs: "P3", or "contract" for what is promised of
// single commands; and what was seen.
struct Violation {
  std::string promise;
  std::string what;

  // The task that it is about; 0: none. What is said of a task begins with its name.
  std::uint32_t task() const;
};

class World {
 public:
  World(std::uint64_t seed, Story story);

  // True time; what the nodes' clocks show is up to them.
  Time now() const { return now_; }
  Duration elapsed() const { return now_ - start_; }
  Random& random() { return random_; }
  const Story& story() const { return story_; }

  void at(Time time, Step step);
  void after(Duration delay, Step step) { at(now_ + delay, std::move(step)); }
  // Runs the next step; false when there is none.
  bool run_step();
  std::uint64_t steps() const { return steps_; }

  void note(Happening happening, std::uint32_t node = 0, std::uint32_t task = 0,
            std::int64_t number = 0) {
    story_.note(elapsed(), happening, node, task, number);
  }
  void count(Happening happening, std::uint64_t times) { story_.count(happening, times); }

  // The first one stands.
  void fail(std::string promise, std::string what);
  const std::optional<Violation>& violation() const { return violation_; }

  // Uniform, both included.
  Duration pick(Duration low, Duration high);
  bool chance(std::uint32_t per_mille) { return random_.chance(per_mille, 1'000); }
  // Uniform in [0, bound).
  std::uint32_t index(std::size_t bound) {
    return static_cast<std::uint32_t>(random_.below(bound));
  }

 private:
  struct Entry {
    Time time;
    std::uint64_t number = 0;
    Step step;
  };
  static bool later(const Entry& a, const Entry& b);

  Time start_;
  Time now_;
  Random random_;
  Story story_;
  std::vector<Entry> heap_;
  std::uint64_t numbers_ = 0;
  std::uint64_t steps_ = 0;
  std::optional<Violation> violation_;
};

// Rings once, at the earliest time it was set to since it last rang. Whoever rings too early looks
// at the time and sets it again.
class Alarm {
 public:
  Alarm(World& world, Step ring) : world_(world), ring_(std::move(ring)) {}
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  // Never rings at the very time it is set: what rings without end still lets time pass.
  void set(Time at);
  void clear() { set_ = false; }

 private:
  static constexpr Duration kShortest = Duration::microseconds(20);

  World& world_;
  Step ring_;
  bool set_ = false;
  Time at_;
  std::uint64_t token_ = 0;
};

}  // namespace millrace::simulation
