#include "tests/simulation/world.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace millrace::simulation {
namespace {

constexpr Time kStart = Time::since_epoch(Duration::days(20'000));

}  // namespace

std::uint32_t Violation::task() const {
  constexpr std::string_view kName = "task ";
  std::uint32_t number = 0;
  if (std::string_view(what).substr(0, kName.size()) == kName) {
    std::from_chars(what.data() + kName.size(), what.data() + what.size(), number);
  }
  return number;
}

World::World(std::uint64_t seed, Story story)
    : start_(kStart), now_(kStart), random_(seed * 0x9e3779b97f4a7c15U + 1), story_(story) {
  heap_.reserve(1'024);
}

bool World::later(const Entry& a, const Entry& b) {
  return a.time != b.time ? a.time > b.time : a.number > b.number;
}

void World::at(Time time, Step step) {
  heap_.push_back(Entry{std::max(time, now_), ++numbers_, std::move(step)});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

bool World::run_step() {
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), later);
  const Entry entry = std::move(heap_.back());
  heap_.pop_back();
  now_ = entry.time;
  ++steps_;
  entry.step();
  return true;
}

void World::fail(std::string promise, std::string what) {
  if (violation_.has_value()) return;
  violation_ = Violation{std::move(promise), std::move(what)};
}

Duration World::pick(Duration low, Duration high) {
  return Duration::nanoseconds(random_.between(low.in_nanoseconds(), high.in_nanoseconds()));
}

void Alarm::set(Time at) {
  if (at == Time::never()) return;
  at = std::max(at, world_.now() + kShortest);
  if (set_ && at_ <= at) return;
  set_ = true;
  at_ = at;
  world_.at(at, [this, token = ++token_] {
    if (!set_ || token != token_) return;
    set_ = false;
    ring_();
  });
}

}  // namespace millrace::simulation
