#include "tests/simulation/plan.h"

#include <algorithm>
#include <iterator>

namespace millrace::simulation {
namespace {

// Small numbers more often than large ones.
std::uint32_t few(Random& random, std::uint32_t low, std::uint32_t high) {
  const auto first = random.between(low, high);
  const auto second = random.between(low, high);
  return static_cast<std::uint32_t>(std::min(first, second));
}

// Off in half of the seeds.
std::uint32_t sometimes(Random& random, std::uint32_t per_mille_max) {
  if (random.chance(1, 2)) return 0;
  return static_cast<std::uint32_t>(random.between(1, per_mille_max));
}

void draw_network(Plan& plan, Random& random) {
  switch (random.below(4)) {
    case 0:
      plan.delay_max = Duration::milliseconds(60);
      break;
    case 1:
      plan.delay_max = Duration::milliseconds(random.between(1, 300));
      break;
    default:
      break;
  }
  plan.beat_loss = sometimes(random, 300);
  plan.pulse_loss = sometimes(random, 300);
}

void draw_handlers(Plan& plan, Random& random) {
  plan.runs_long = sometimes(random, 600);
  plan.run_short_max = Duration::milliseconds(random.chance(1, 2) ? 20 : random.between(1, 800));
  plan.run_long_max = Duration::seconds(random.between(1, 15));
  plan.fails = sometimes(random, 500);
  plan.fails_for_good = sometimes(random, 100);
  plan.crashes = sometimes(random, 100);
  plan.hangs = sometimes(random, 60);
  plan.extends = sometimes(random, 300);
}

void draw_clients(Plan& plan, Random& random) {
  plan.delayed = sometimes(random, 500);
  plan.with_ttl = sometimes(random, 400);
  plan.short_timeout = sometimes(random, 500);
  plan.one_priority = random.chance(1, 4);
  plan.resubmits = sometimes(random, 150);
  plan.other_content = sometimes(random, 100);
  plan.cancels = sometimes(random, 250);
  plan.asks = sometimes(random, 300);
  plan.requeues = sometimes(random, 200);
  plan.queue_controls = sometimes(random, 60);
  plan.drains_workers = sometimes(random, 30);
  plan.purges_dead = sometimes(random, 60);
  plan.lists = sometimes(random, 100);
  plan.gives_up = sometimes(random, 200);
}

void draw_faults(Plan& plan, Random& random) {
  if (random.chance(1, 10)) return;  // a calm seed
  const bool wild = random.chance(1, 5);
  for (Duration& every : plan.fault_every) {
    if (random.chance(1, 2)) continue;
    every = Duration::milliseconds(random.between(4'000, 40'000)) / (wild ? 4 : 1);
  }
}

void draw_clocks(Plan& plan, Random& random) {
  constexpr Duration kFar[] = {Duration::seconds(5), Duration::minutes(1), Duration::hours(1),
                               Duration::days(365)};
  plan.clock_jump_max = kFar[random.below(std::size(kFar))];
  if (random.chance(1, 2)) plan.clock_drift_max = random.between(1, 500);
}

}  // namespace

Plan draw_plan(const Size& size, Random& random) {
  Plan plan;
  plan.tasks = size.tasks != 0 ? size.tasks : few(random, 5, 80);
  plan.workers = size.workers != 0 ? size.workers : few(random, 1, 6);
  plan.clients = few(random, 1, 3);
  plan.queues = few(random, 1, 4);
  plan.fault_phase = Duration::seconds(random.between(8, 40));
  // Bursts in some seeds, a trickle in others.
  plan.submit_phase = random.chance(1, 2) ? Duration::seconds(1) : plan.fault_phase * 3 / 4;
  plan.aging = random.chance(1, 2);
  if (random.chance(1, 4)) plan.sync_max = Duration::milliseconds(100);
  if (random.chance(1, 10)) plan.unreadable = 20;
  draw_network(plan, random);
  draw_handlers(plan, random);
  draw_clients(plan, random);
  draw_faults(plan, random);
  draw_clocks(plan, random);
  return plan;
}

}  // namespace millrace::simulation
