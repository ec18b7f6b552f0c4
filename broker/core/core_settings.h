// Every knob of the core, its default, its unit, its reason.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/messages.h"

namespace millrace::broker {

struct CoreSettings {
  // Announced to peers.
  Epoch epoch = Epoch(1);
  Endpoints endpoints;
  PeerLimits limits;
  LivenessSettings liveness;
  std::string version;

  // After a start, leases of the time before wait this long for their workers to come back. Longer
  // than a worker's slowest reconnect (1 s) and its hello; a dead worker's tasks wait it out.
  Duration adoption_grace = Duration::seconds(5);
  // A waiting task gains one priority for each of these; zero: never.
  Duration aging_interval = Duration::seconds(60);
  // For tasks that name no timeout of their own.
  Duration timeout_default = Duration::minutes(5);
  // The broker waits this much longer than the worker, so that the worker's own report comes first.
  Duration timeout_grace = Duration::milliseconds(250);
  // For tasks that name no retention of their own.
  Duration retention_default = Duration::hours(24);
  // Ended tasks (but the dead) beyond either are forgotten, the earliest ended first.
  ByteCount retained_bytes_max = ByteCount::gibibytes(1);
  std::uint64_t retained_tasks_max = 1'000'000;
  // Waiting, running and dead tasks together. Answer: busy.
  std::uint64_t tasks_max = 20'000'000;
  std::uint32_t queues_max = 10'000;      // answer: busy
  std::uint32_t workers_max = 10'000;     // answer: busy
  std::uint32_t clients_max = 10'000;     // answer: busy
  std::uint64_t watches_max = 5'000'000;  // answer: busy
  // A client unheard for this long loses its watches.
  Duration client_silence_max = Duration::seconds(30);
  // What refused peers are told to wait.
  Duration retry_after = Duration::milliseconds(500);
  // The shell ticks at least this often; see BrokerCore::tick.
  Duration tick_interval_max = Duration::milliseconds(250);
  // A gap between ticks above this is a stall of the broker itself: every lease moves by it.
  Duration stall_min = Duration::seconds(1);
  // Work of one tick that can wait for the next (due tasks, pruning): bounds a turn.
  std::uint32_t tick_work_max = 10'000;
  // Tasks that one list, requeue or purge request looks at or changes.
  std::uint32_t request_work_max = 10'000;
  // Tasks given to one worker before the next one's turn, beyond its idle slots.
  std::uint32_t prefetch_quantum = 64;
};

// What a retained task costs beside its result, for retained_bytes_max.
inline constexpr std::uint64_t kRetainedOverheadBytes = 256;

}  // namespace millrace::broker
