#include "worker/cpp/builtins.h"

#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <string_view>
#include <variant>
#include <vector>

namespace millrace::worker {
namespace {

constexpr Duration kSlow = Duration::seconds(2);

[[noreturn]] void hang() {
  for (;;) pause();
}

// SIGUSR1 never comes back: the thread that gets it stops where it stands.
void stop_this_thread(int /*signal_number*/) {
  hang();
}

Answer fail(const Task&) {
  return retry("poison: this worker fails every task");
}
Answer exit_process(const Task&) {
  _exit(1);
}
Answer never_return(const Task&) {
  hang();
}

Answer take_long(const Task& task) {
  if (task.wait_for_stop(kSlow)) return retry("stopped while being slow");
  return done(task.payload());
}

Handler make_stall(pthread_t session_thread) {
  return [session_thread](const Task&) -> Answer {
    struct sigaction stop {};
    stop.sa_handler = stop_this_thread;
    sigaction(SIGUSR1, &stop, nullptr);
    pthread_kill(session_thread, SIGUSR1);
    hang();
  };
}

}  // namespace

Answer echo(const Task& task) {
  return done(task.payload());
}

Answer sleep_for_payload(const Task& task) {
  const std::string_view text = task.payload().text();
  std::uint32_t milliseconds = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return fail_for_good("the payload is not a number of milliseconds");
  }
  if (task.wait_for_stop(Duration::milliseconds(milliseconds))) return retry("woken to stop");
  return done();
}

Handler make_poison(const std::string& kind, pthread_t session_thread) {
  if (kind == "fail") return fail;
  if (kind == "exit") return exit_process;
  if (kind == "hang") return never_return;
  if (kind == "stall") return make_stall(session_thread);
  if (kind == "slow") return take_long;
  MILLRACE_CHECK(kind == "lie", "a known kind of poison");
  return echo;
}

void lie_about(WorkerMessage& message) {
  auto* complete = std::get_if<Complete>(&message);
  if (complete == nullptr) return;
  std::vector<Completion> lies;
  for (const Completion& truth : complete->items) {
    Completion lie = truth;
    lie.fence = Fence(truth.fence.value + 7);
    lie.result = SharedBytes::copy_of("a lie");
    lies.push_back(lie);
    lies.push_back(truth);
    lies.push_back(truth);
  }
  complete->items = std::move(lies);
}

}  // namespace millrace::worker
