#include "tests/simulation/story.h"

#include <string>

namespace millrace::simulation {
namespace {

// The name, and the line: {n} the node, {t} the task, {x} the number.
struct Wording {
  std::string_view name;
  std::string_view line;
};

constexpr std::array<Wording, kHappenings> kWordings = {{
    {"client_starts", "client {n} starts"},
    {"client_crashes", "client {n} crashes"},
    {"client_pauses", "client {n} stands still for {x} ms"},
    {"client_continues", "client {n} goes on"},
    {"client_submits", "client {n} submits task {t}"},
    {"client_resubmits", "client {n} submits task {t} again"},
    {"client_submits_other_content", "client {n} submits other content under the id of task {t}"},
    {"submit_acknowledged", "client {n} learns that task {t} is accepted"},
    {"submit_conflicts", "client {n} learns that task {t} has other content"},
    {"submit_refused", "client {n} learns that task {t} is refused (status {x})"},
    {"submit_unanswered", "client {n} gives up on the answer for task {t}"},
    {"client_cancels", "client {n} cancels task {t}"},
    {"cancel_confirmed", "client {n} learns that the cancel of task {t} stands (status {x})"},
    {"client_requeues", "client {n} requeues task {t} from the dead-letter queue"},
    {"client_purges_dead", "client {n} purges task {t} from the dead-letter queue"},
    {"client_lists", "client {n} lists the tasks of queue {x}"},
    {"client_asks", "client {n} asks for task {t}"},
    {"client_pauses_queue", "client {n} pauses queue {x}"},
    {"client_resumes_queue", "client {n} resumes queue {x}"},
    {"client_purges_queue", "client {n} purges queue {x}"},
    {"client_drains_worker", "client {n} drains worker {x}"},
    {"client_hears_end", "client {n} reads the end of task {t} (state {x})"},
    {"worker_starts", "worker {n} starts (process {x})"},
    {"worker_crashes", "worker {n} crashes"},
    {"worker_pauses_briefly", "worker {n} stands still for {x} ms"},
    {"worker_pauses_long", "worker {n} stands still for {x} ms"},
    {"worker_continues", "worker {n} goes on"},
    {"worker_drains", "worker {n} drains"},
    {"worker_abandons", "worker {n} hands everything back and ends"},
    {"worker_ends", "worker {n} has ended"},
    {"worker_loses_session", "worker {n} loses its session"},
    {"attempt_starts", "worker {n} starts task {t} under fence {x}"},
    {"attempt_succeeds", "worker {n} succeeds with task {t} under fence {x}"},
    {"attempt_fails", "worker {n} fails at task {t} under fence {x}"},
    {"attempt_fails_for_good", "worker {n} fails for good at task {t} under fence {x}"},
    {"attempt_crashes", "worker {n} sees task {t} crash under fence {x}"},
    {"attempt_hangs", "worker {n} hangs in task {t} under fence {x}"},
    {"attempt_extends", "worker {n} extends task {t} under fence {x}"},
    {"attempt_stopped", "worker {n} is to stop task {t} under fence {x}"},
    {"completion_accepted", "worker {n} learns that fence {x} of task {t} counts"},
    {"completion_stale", "worker {n} learns that fence {x} of task {t} is stale"},
    {"completion_repeated", "worker {n} reports on task {t} under fence {x} once more"},
    {"broker_starts", "the broker starts with epoch {x}"},
    {"broker_crashes", "the broker crashes"},
    {"broker_stops", "the broker is asked to stop"},
    {"broker_pauses", "the broker stands still for {x} ms"},
    {"broker_continues", "the broker goes on"},
    {"clock_jumps", "the wall clock of node {n} (0: the broker) is set {x} ms off"},
    {"broker_clock_moves", "the broker's time has moved by {x} ms since it ran last"},
    {"broker_clock_corrected", "the broker's clock is corrected, and it starts anew"},
    {"commit_fails", "a commit fails: it may be done or not, and the broker ends"},
    {"commit_survives_crash", "the commit in flight survives"},
    {"batches_lost", "{x} batches that were not durable are lost"},
    {"sync_stalls", "a sync takes {x} ms"},
    {"store_fills", "the store is full"},
    {"store_empties", "the store has room again"},
    {"dispatch_undeliverable", "a dispatch for worker {n} could not be handed over"},
    {"spec_unreadable", "the stored payload of task {t} cannot be read"},
    {"worker_unreachable", "worker {n} is unreachable"},
    {"wire_cut", "the connection of node {n} is cut for {x} ms"},
    {"wire_restored", "the connection of node {n} is back"},
    {"wire_made_anew", "node {n} connects anew"},
    {"partition_to_broker", "node {n} is not heard by the broker for {x} ms"},
    {"partition_from_broker", "node {n} does not hear the broker for {x} ms"},
    {"partition_both_ways", "node {n} and the broker are apart for {x} ms"},
    {"partition_heals", "the network of node {n} is whole again"},
    {"partition_breaks_connection", "what was under way of node {n} is lost"},
    {"beat_lost", "a beat of node {n} is lost"},
    {"pulse_lost", "a pulse for node {n} is lost"},
    {"lease_adopted", ""},
    {"task_recalled", ""},
    {"stale_lease_refused", ""},
    {"submit_repeated", ""},
    {"worker_lost", ""},
    {"loop_stalled", ""},
    {"task_retried", ""},
    {"lease_lost", ""},
    {"attempt_timed_out", ""},
    {"dead_requeued", ""},
    {"dead_purged", ""},
    {"ended_succeeded", "task {t} ended: succeeded after {x} attempts"},
    {"ended_dead", "task {t} ended: dead after {x} attempts"},
    {"ended_cancelled", "task {t} ended: cancelled after {x} attempts"},
    {"ended_expired", "task {t} ended: expired"},
    {"faults_end", "no more faults: everything must end now"},
}};

std::string put(std::string text, std::string_view place, std::int64_t value) {
  const std::size_t at = text.find(place);
  if (at != std::string::npos) text.replace(at, place.size(), std::to_string(value));
  return text;
}

}  // namespace

std::string_view name_of(Happening happening) {
  return kWordings[static_cast<std::size_t>(happening)].name;
}

void Story::mix(std::uint64_t value) {
  hash_ ^= value;
  hash_ *= 0x100000001b3U;
  hash_ ^= hash_ >> 29;
}

void Story::note(Duration at, Happening happening, std::uint32_t node, std::uint32_t task,
                 std::int64_t number) {
  count(happening, 1);
  mix(static_cast<std::uint64_t>(at.in_nanoseconds()));
  mix(static_cast<std::uint64_t>(happening) | (std::uint64_t{node} << 8) |
      (std::uint64_t{task} << 32));
  mix(static_cast<std::uint64_t>(number));
  if (out_ != nullptr && is_in_focus(happening, task)) tell(at, happening, node, task, number);
}

bool Story::is_in_focus(Happening happening, std::uint32_t task) const {
  if (focus_ == 0) return true;
  const bool noise = happening == Happening::beat_lost || happening == Happening::pulse_lost;
  return task == 0 ? !noise : task == focus_;
}

void Story::tell(Duration at, Happening happening, std::uint32_t node, std::uint32_t task,
                 std::int64_t number) const {
  std::string line(kWordings[static_cast<std::size_t>(happening)].line);
  line = put(put(put(std::move(line), "{n}", node), "{t}", task), "{x}", number);
  std::fprintf(out_, "%12.6f  %s\n", at.in_seconds(), line.c_str());
}

}  // namespace millrace::simulation
