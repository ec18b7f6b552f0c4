// What happened, in the order it happened: counted by kind, hashed, and told in words on request.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "common/base/time.h"

namespace millrace::simulation {

enum class Happening : std::uint8_t {
  // Clients.
  client_starts,
  client_crashes,
  client_pauses,
  client_continues,
  client_submits,
  client_resubmits,
  client_submits_other_content,
  submit_acknowledged,
  submit_conflicts,
  submit_refused,
  submit_unanswered,
  client_cancels,
  cancel_confirmed,
  client_requeues,
  client_purges_dead,
  client_lists,
  client_asks,
  client_pauses_queue,
  client_resumes_queue,
  client_purges_queue,
  client_drains_worker,
  client_hears_end,
  // Workers.
  worker_starts,
  worker_crashes,
  worker_pauses_briefly,
  worker_pauses_long,
  worker_continues,
  worker_drains,
  worker_abandons,
  worker_ends,
  worker_loses_session,
  attempt_starts,
  attempt_succeeds,
  attempt_fails,
  attempt_fails_for_good,
  attempt_crashes,
  attempt_hangs,
  attempt_extends,
  attempt_stopped,
  completion_accepted,
  completion_stale,
  completion_repeated,
  // The broker.
  broker_starts,
  broker_crashes,
  broker_stops,
  broker_pauses,
  broker_continues,
  clock_jumps,
  broker_clock_moves,
  broker_clock_corrected,
  commit_fails,
  commit_survives_crash,
  batches_lost,
  sync_stalls,
  store_fills,
  store_empties,
  dispatch_undeliverable,
  spec_unreadable,
  worker_unreachable,
  // The network.
  wire_cut,
  wire_restored,
  wire_made_anew,
  partition_to_broker,
  partition_from_broker,
  partition_both_ways,
  partition_heals,
  partition_breaks_connection,
  beat_lost,
  pulse_lost,
  // What the core tells of itself, added when its process ends.
  lease_adopted,
  task_recalled,
  stale_lease_refused,
  submit_repeated,
  worker_lost,
  loop_stalled,
  // The books at the end.
  task_retried,
  lease_lost,
  attempt_timed_out,
  dead_requeued,
  dead_purged,
  ended_succeeded,
  ended_dead,
  ended_cancelled,
  ended_expired,
  faults_end,
};
inline constexpr std::size_t kHappenings = static_cast<std::size_t>(Happening::faults_end) + 1;

std::string_view name_of(Happening happening);

using HappeningCounts = std::array<std::uint64_t, kHappenings>;

// Not thread-safe.
class Story {
 public:
  // Tells each line to `out` as it happens; nullptr: only counts and hashes. With a `focus`: of
  // tasks, only what happens to that one, and no beats and pulses that are lost.
  explicit Story(std::FILE* out, std::uint32_t focus = 0) : out_(out), focus_(focus) {}

  // `node` and `task` count from 1, 0: none. `number` is a fence, an epoch, milliseconds: see the
  // text of the kind.
  void note(Duration at, Happening happening, std::uint32_t node = 0, std::uint32_t task = 0,
            std::int64_t number = 0);
  // Only counted: for what is known in sum.
  void count(Happening happening, std::uint64_t times) {
    counts_[static_cast<std::size_t>(happening)] += times;
  }

  // Over every line so far; equal for equal runs.
  std::uint64_t hash() const { return hash_; }
  const HappeningCounts& counts() const { return counts_; }

 private:
  void mix(std::uint64_t value);
  bool is_in_focus(Happening happening, std::uint32_t task) const;
  void tell(Duration at, Happening happening, std::uint32_t node, std::uint32_t task,
            std::int64_t number) const;

  std::FILE* out_;
  std::uint32_t focus_;
  std::uint64_t hash_ = 0xcbf29ce484222325U;
  HappeningCounts counts_{};
};

}  // namespace millrace::simulation
