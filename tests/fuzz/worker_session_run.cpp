#include <algorithm>
#include <set>

#include "tests/fuzz/message_maker.h"
#include "tests/fuzz/property.h"
#include "tests/fuzz/session_runs.h"
#include "worker/cpp/session.h"

namespace millrace::fuzz {
namespace {

// A lease in an order of its own, so that a run repeats exactly.
using LeaseKey = std::pair<TaskId, Fence>;

class WorkerRun {
 public:
  explicit WorkerRun(Input& input)
      : input_(input), settings_(small_settings(input)), session_(settings_, Random(input.byte())) {
    session_.start(now_, actions_);
    take_actions();
  }

  void play() {
    while (!input_.empty() && !ended_) {
      act();
      take_actions();
    }
  }

 private:
  static worker::SessionSettings small_settings(Input& input) {
    worker::SessionSettings settings;
    settings.worker.bytes[0] = 1;
    settings.name = "w1";
    settings.queues = {"mail"};
    settings.slots = static_cast<std::uint32_t>(1 + input.below(3));
    settings.prefetch_max = static_cast<std::uint32_t>(input.below(8));
    if (input.truth()) settings.run_ahead = Duration::milliseconds(1);
    return settings;
  }

  void act() {
    switch (input_.below(14)) {
      case 0:
      case 1:
      case 2:
      case 3:
        if (const auto reply = any_worker_reply(input_)) session_.receive(*reply, now_, actions_);
        return;
      case 4:
        return welcome();
      case 5:
      case 6:
        return finish();
      case 7:
        return extend();
      case 8: {
        Pulse pulse;
        pulse.epoch = Epoch(input_.number());
        return session_.hear_pulse(pulse, now_, actions_);
      }
      case 9:
        return session_.connection_lost(now_, actions_);
      case 10:
        return leave();
      case 11:
        advance(now_ + std::max(Duration(), input_.duration()));
        return tick();
      default:
        advance(std::min(session_.next_deadline(), now_ + Duration::hours(1)));
        return tick();
    }
  }

  // A wall clock may be wrong, but not without end.
  void advance(Time to) { now_ = std::clamp(to, now_, wire::kNotBeforeLatest); }

  void tick() {
    session_.tick(now_, actions_);
    require(session_.next_deadline() > now_, "a tick leaves nothing due");
  }

  // The one answer that the fuzzer could not guess.
  void welcome() {
    WorkerWelcome welcome;
    welcome.hello_number = hello_number_;
    welcome.session = SessionNonce(1);
    welcome.epoch = Epoch(1 + input_.below(3));
    if (input_.truth()) {
      welcome.limits.batch_items_max = static_cast<std::uint32_t>(1 + input_.below(4));
      welcome.limits.result_bytes_max = ByteCount(1 + input_.below(32));
      welcome.limits.error_bytes_max = ByteCount(1 + input_.below(32));
      welcome.limits.credit_max = static_cast<std::uint32_t>(1 + input_.below(8));
    }
    session_.receive(welcome, now_, actions_);
  }

  LeaseKey one_of_the_running() {
    return *std::next(running_.begin(), static_cast<std::ptrdiff_t>(input_.below(running_.size())));
  }

  void finish() {
    if (running_.empty()) return;
    const LeaseKey key = one_of_the_running();
    running_.erase(key);
    Completion completion;
    completion.task = key.first;
    completion.fence = key.second;
    completion.outcome = static_cast<Outcome>(1 + input_.below(5));
    completion.result = SharedBytes::copy_of(input_.text());
    completion.error = input_.text();
    completion.elapsed = std::max(Duration(), input_.duration());
    session_.finish(std::move(completion), now_, actions_);
  }

  void extend() {
    Extension extension;
    extension.task = any_task_id(input_);
    extension.fence = Fence(input_.number());
    if (!running_.empty() && input_.truth()) {
      std::tie(extension.task, extension.fence) = one_of_the_running();
    }
    extension.by = input_.duration();
    extension.progress_percent = static_cast<std::uint8_t>(input_.below(101));
    session_.extend(extension, now_, actions_);
  }

  void leave() {
    if (input_.byte() % 8 == 0) return session_.abandon(now_, actions_);
    if (input_.byte() % 4 == 0) session_.drain(now_, actions_);
  }

  void take_actions() {
    for (const DispatchedTask& task : actions_.starts) {
      require(running_.insert({task.task, task.fence}).second, "an attempt starts once");
    }
    for (const StoppedTask& task : actions_.stops) {
      require(running_.contains({task.task, task.fence}), "only what runs is stopped");
    }
    for (const WorkerMessage& message : actions_.sends) {
      received(message);
      if (const auto* hello = std::get_if<WorkerHello>(&message)) {
        require(hello->hello_number > hello_number_, "hello numbers grow");
        hello_number_ = hello->hello_number;
      }
    }
    require(session_.running() == running_.size(), "the session knows what runs");
    const std::size_t ahead = settings_.run_ahead > Duration() ? 1'024 : 0;
    require(running_.size() <= settings_.slots + ahead, "no more runs than there are slots");
    if (actions_.finished || actions_.failure) ended_ = true;
    actions_.clear();
  }

  Input& input_;
  worker::SessionSettings settings_;
  worker::Session session_;
  worker::Actions actions_;
  std::uint64_t hello_number_ = 0;
  std::set<LeaseKey> running_;
  bool ended_ = false;
  Time now_ = Time::since_epoch(Duration::days(20'000));
};

}  // namespace

void run_worker_session(Input& input) {
  WorkerRun(input).play();
}

}  // namespace millrace::fuzz
