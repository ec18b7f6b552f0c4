// Faults of the shell, built in on purpose: a simulation that does not find them proves nothing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace::simulation {

enum class Mutant : std::uint8_t {
  none,
  send_before_durable,      // the outbox does not wait for the sync
  acknowledge_before_sync,  // the disk says durable one commit too early
  ignore_fences,            // a completion of any fence counts as one of the newest
  swap_results,             // results of one turn are stored under each other's task
  skip_adoption,            // after a restart nobody is asked what they hold
  forget_attempts,          // the count of attempts is lost on restart
  forget_fences,            // fences begin anew on restart
  forget_cancels,           // a cancel under way is lost on restart
  forget_ended,             // tasks that have ended are not known after a restart
  forget_books,             // the totals begin anew on restart
  ignore_delays,            // every task is due at once
  judge_before_listening,   // after standing still, time is judged before the queued words
  lose_ends,                // nobody is told of an end
  ignore_priorities,        // every task has the same priority
  follow_wall_clock,        // the broker's time jumps with the wall clock
};

struct NamedMutant {
  Mutant mutant;
  std::string_view name;
};
inline constexpr std::array<NamedMutant, 15> kMutants = {{
    {Mutant::send_before_durable, "send_before_durable"},
    {Mutant::acknowledge_before_sync, "acknowledge_before_sync"},
    {Mutant::ignore_fences, "ignore_fences"},
    {Mutant::swap_results, "swap_results"},
    {Mutant::skip_adoption, "skip_adoption"},
    {Mutant::forget_attempts, "forget_attempts"},
    {Mutant::forget_fences, "forget_fences"},
    {Mutant::forget_cancels, "forget_cancels"},
    {Mutant::forget_ended, "forget_ended"},
    {Mutant::forget_books, "forget_books"},
    {Mutant::ignore_delays, "ignore_delays"},
    {Mutant::judge_before_listening, "judge_before_listening"},
    {Mutant::lose_ends, "lose_ends"},
    {Mutant::ignore_priorities, "ignore_priorities"},
    {Mutant::follow_wall_clock, "follow_wall_clock"},
}};

inline std::optional<Mutant> mutant_named(std::string_view name) {
  for (const NamedMutant& entry : kMutants) {
    if (entry.name == name) return entry.mutant;
  }
  return std::nullopt;
}

}  // namespace millrace::simulation
