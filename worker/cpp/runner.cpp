#include "worker/cpp/runner.h"

#include <algorithm>
#include <utility>

namespace millrace::worker {
namespace {

constexpr int kMessagesPerTurn = 256;
constexpr Duration kWaitMost = Duration::seconds(60);
// After the order to end at once, so that a task that is handed back does not run here any more.
constexpr Duration kLastMoments = Duration::seconds(1);

StopReason reason_of(StopCause cause) {
  switch (cause) {
    case StopCause::cancelled:
      return StopReason::cancelled;
    case StopCause::stale_lease:
      return StopReason::lease_lost;
    case StopCause::timed_out:
      return StopReason::timed_out;
  }
  return StopReason::lease_lost;
}

}  // namespace

Runner::Runner(RunnerSettings settings, BrokerConnection& connection, HandlerPool& pool,
               const std::atomic<int>& stop_requests, host::EventDescriptor& stop_event,
               Random random)
    : settings_(std::move(settings)),
      connection_(connection),
      pool_(pool),
      stop_requests_(stop_requests),
      stop_event_(stop_event),
      session_(settings_.session, random) {}

Status Runner::run() {
  Time now = clock_.now();
  if (settings_.connect_timeout > Duration()) connect_by_ = now + settings_.connect_timeout;
  session_.start(now, actions_);
  for (;;) {
    const Status performed = perform();
    if (!performed || actions_.finished) {
      notice_end();
      return performed;
    }
    if (now >= connect_by_) {
      return Error{ErrorCode::unavailable, "no broker answered at " + settings_.broker +
                                               " within " + to_text(settings_.connect_timeout) +
                                               "; is it running, and is that its worker port?"};
    }
    actions_.clear();
    const Time wake = std::min({session_.next_deadline(), drain_by_, connect_by_});
    connection_.wait({pool_.descriptor(), stop_event_.descriptor()},
                     std::clamp(wake - now, Duration(), kWaitMost));
    now = clock_.now();
    collect(now);
    obey_stop_requests(now);
    session_.tick(now, actions_);
  }
}

// Hears all there is to hear, within bounds, before anything is judged late.
void Runner::collect(Time now) {
  for (int i = 0; i < kMessagesPerTurn; ++i) {
    const auto pulse = connection_.receive_pulse();
    if (!pulse) break;
    session_.hear_pulse(*pulse, now, actions_);
  }
  for (int i = 0; i < kMessagesPerTurn; ++i) {
    const auto reply = connection_.receive();
    if (!reply) break;
    session_.receive(*reply, now, actions_);
    const auto* completed = std::get_if<Completed>(&*reply);
    if (completed == nullptr || !settings_.acknowledged) continue;
    for (const CompletionAnswer& answer : completed->items) settings_.acknowledged(answer);
  }
  if (connection_.take_disconnected()) session_.connection_lost(now, actions_);
  HandlerPool::Reported reported = pool_.take_reported();
  for (const Extension& extension : reported.extensions) {
    session_.extend(extension, now, actions_);
  }
  for (Completion& completion : reported.completions) {
    session_.finish(std::move(completion), now, actions_);
  }
  if (connection_.broken_messages() != broken_messages_) {
    broken_messages_ = connection_.broken_messages();
    notice(NoticeLevel::warning,
           "dropped a broken message from the broker: " + connection_.broken_because());
  }
}

void Runner::obey_stop_requests(Time now) {
  stop_event_.clear();
  const int requests = stop_requests_.load();
  if (requests > 0 && drain_by_ == Time::never()) {
    drain_by_ = now + settings_.drain_timeout;
    session_.drain(now, actions_);
    notice(NoticeLevel::info,
           "stopping: taking nothing new; " + std::to_string(session_.running()) + " running");
  }
  if (requests > 1 || now >= drain_by_) session_.abandon(now, actions_);
}

// Does what the session wants, in the order that Actions gives.
Status Runner::perform() {
  if (actions_.failure) {
    end_handlers();
    return *actions_.failure;
  }
  if (!actions_.lost.empty()) {
    notice(NoticeLevel::warning, "lost the broker: " + actions_.lost + "; running tasks go on");
  }
  if (actions_.reconnect) {
    const Status reconnected = connection_.reconnect();
    if (!reconnected) return reconnected;
  }
  if (actions_.welcomed) {
    connect_by_ = Time::never();
    const Status followed = follow(*actions_.welcomed);
    if (!followed) return followed;
  }
  pool_.start(std::move(actions_.starts));
  // At the end everything stops, and for one reason: the end.
  if (actions_.finished) end_handlers();
  for (const StoppedTask& stopped : actions_.stops) {
    pool_.stop(HeldLease{stopped.task, stopped.fence}, reason_of(stopped.cause));
  }
  for (WorkerMessage& message : actions_.sends) send(std::move(message));
  for (const Beat& beat : actions_.beats) connection_.send(beat);
  return Done{};
}

Status Runner::follow(const Welcomed& welcomed) {
  notice(NoticeLevel::info, (connected_before_ ? "reconnected to" : "connected to") +
                                std::string(" broker ") + welcomed.broker_version + ", epoch " +
                                std::to_string(welcomed.epoch.value));
  connected_before_ = true;
  connection_.set_limits(welcomed.limits);
  pool_.set_result_bytes_max(welcomed.limits.result_bytes_max);
  return connection_.connect_channels(welcomed.endpoints);
}

void Runner::send(WorkerMessage message) {
  if (settings_.before_send) settings_.before_send(message);
  connection_.send(message);
}

// Everything that runs is told to end at once, and gets a moment to do so.
void Runner::end_handlers() {
  pool_.stop_all(StopReason::shutting_down);
  const Time end_by = clock_.now() + kLastMoments;
  for (Time now = clock_.now(); pool_.unfinished() > 0 && now < end_by; now = clock_.now()) {
    connection_.wait({pool_.descriptor()}, end_by - now);
    static_cast<void>(pool_.take_reported());
  }
}

void Runner::notice(NoticeLevel level, const std::string& text) const {
  if (settings_.notice) settings_.notice(level, text);
}

void Runner::notice_end() const {
  const SessionTotals& totals = session_.totals();
  const auto count = [](std::uint64_t number, const char* what) {
    return std::to_string(number) + what;
  };
  notice(NoticeLevel::info,
         "ended: " + count(totals.succeeded, " succeeded, ") +
             count(totals.unsuccessful, " failed, ") + count(totals.cancelled, " cancelled, ") +
             count(totals.released, " handed back, ") + count(totals.stale, " too late"));
}

}  // namespace millrace::worker
