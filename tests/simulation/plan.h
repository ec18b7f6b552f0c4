// What one run looks like: drawn from its seed. Every feature and every fault is on in some seeds
// and off in others ("swarm testing", Groce et al. 2012): a run with few kinds of faults reaches
// states that a run with all of them never does.
#pragma once

#include <array>
#include <cstdint>

#include "common/base/random.h"
#include "common/base/time.h"

namespace millrace::simulation {

enum class FaultKind : std::uint8_t {
  broker_crash,
  broker_stop,
  broker_pause,
  sync_stall,
  store_full,
  worker_crash,
  worker_pause,
  worker_drain,
  worker_abandon,
  client_crash,
  wire_cut,
  partition,
  client_pause,
  commit_error,
  clock_jump,
};
inline constexpr std::size_t kFaultKinds = static_cast<std::size_t>(FaultKind::clock_jump) + 1;

// Sizes that the command line may set; zero: drawn from the seed.
struct Size {
  std::uint32_t tasks = 0;
  std::uint32_t workers = 0;
};

// Chances are per mille.
struct Plan {
  std::uint32_t tasks = 30;
  std::uint32_t workers = 3;
  std::uint32_t clients = 2;
  std::uint32_t queues = 2;
  Duration fault_phase = Duration::seconds(30);
  Duration submit_phase = Duration::seconds(20);

  // Network.
  Duration delay_min = Duration::microseconds(50);
  Duration delay_max = Duration::milliseconds(2);
  std::uint32_t beat_loss = 0;
  std::uint32_t pulse_loss = 0;

  // Disk.
  Duration sync_min = Duration::microseconds(300);
  Duration sync_max = Duration::milliseconds(5);
  std::uint32_t unreadable = 0;  // stored payloads, each time they are read

  // Handlers.
  Duration run_short_max = Duration::milliseconds(30);
  Duration run_long_max = Duration::seconds(10);
  std::uint32_t runs_long = 200;
  std::uint32_t fails = 100;
  std::uint32_t fails_for_good = 20;
  std::uint32_t crashes = 20;
  std::uint32_t hangs = 10;
  std::uint32_t extends = 100;

  // Tasks.
  std::uint32_t delayed = 200;
  std::uint32_t with_ttl = 100;
  std::uint32_t short_timeout = 200;
  bool one_priority = false;

  // What clients do beside submitting, each per action.
  std::uint32_t resubmits = 50;
  std::uint32_t other_content = 30;
  std::uint32_t cancels = 80;
  std::uint32_t asks = 100;
  std::uint32_t requeues = 50;
  std::uint32_t queue_controls = 20;
  std::uint32_t drains_workers = 5;
  std::uint32_t purges_dead = 20;
  std::uint32_t lists = 20;
  std::uint32_t gives_up = 50;

  // The core.
  bool aging = true;

  // Mean time between two faults of a kind; zero: none of it.
  std::array<Duration, kFaultKinds> fault_every{};
  // How far the wall clocks are set off.
  Duration clock_jump_max = Duration::seconds(5);
  // By how many nanoseconds a millisecond the steady clocks differ, at most.
  std::int64_t clock_drift_max = 0;

  Duration every(FaultKind kind) const { return fault_every[static_cast<std::size_t>(kind)]; }
};

Plan draw_plan(const Size& size, Random& random);

}  // namespace millrace::simulation
