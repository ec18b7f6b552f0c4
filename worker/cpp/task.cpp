// Task and Answer of the public header.
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "worker/cpp/handler_context.h"
#include "worker/cpp/worker.h"

namespace millrace::worker {

Answer done(SharedBytes result) {
  return Answer{Outcome::succeeded, std::move(result), {}};
}
Answer done(std::string_view result) {
  return done(SharedBytes::copy_of(result));
}
Answer retry(std::string why) {
  return Answer{Outcome::failed, {}, std::move(why)};
}
Answer fail_for_good(std::string why) {
  return Answer{Outcome::failed_for_good, {}, std::move(why)};
}

TaskId Task::id() const {
  return context_->dispatched().task;
}
const std::string& Task::queue() const {
  return context_->dispatched().queue;
}
std::uint16_t Task::attempt() const {
  return context_->dispatched().attempt;
}
std::uint16_t Task::max_attempts() const {
  return context_->dispatched().max_attempts;
}
Fence Task::fence() const {
  return context_->dispatched().fence;
}
const Task::Headers& Task::headers() const {
  return context_->description().headers;
}
const SharedBytes& Task::payload() const {
  return context_->description().payload;
}
ByteCount Task::result_bytes_max() const {
  return context_->result_bytes_max();
}
StopReason Task::stop_reason() const {
  return context_->stop_reason();
}
int Task::stop_descriptor() const {
  return context_->stop_descriptor();
}

bool Task::wait_for_stop(Duration time) const {
  using SteadyClock = std::chrono::steady_clock;
  const auto wait =
      std::chrono::nanoseconds(std::clamp(time, Duration(), Duration::days(365)).in_nanoseconds());
  const auto until = SteadyClock::now() + wait;
  while (!cancelled()) {
    const auto rest =
        std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now()).count();
    if (rest <= 0) return false;
    pollfd stop{stop_descriptor(), POLLIN, 0};
    const auto step = static_cast<int>(std::min<std::int64_t>(rest, 3'600'000));
    ::poll(&stop, 1, step);
  }
  return true;
}

void Task::extend(Duration by) const {
  context_->ask(std::max(by, Duration()), 0);
}

void Task::progress(std::uint8_t percent) const {
  context_->ask(Duration(), std::min<std::uint8_t>(percent, 100));
}

}  // namespace millrace::worker
