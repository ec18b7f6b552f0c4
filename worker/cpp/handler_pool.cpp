#include "worker/cpp/handler_pool.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "common/host/signals_blocked.h"
#include "worker/cpp/handler_context.h"

namespace millrace::worker {
namespace {

// The broker has accepted the task by its own limits, which may be wider than the defaults.
PeerLimits broker_has_checked() {
  PeerLimits limits;
  limits.payload_bytes_max = ByteCount::gibibytes(4);
  limits.headers_bytes_max = ByteCount::gibibytes(4);
  limits.queue_name_bytes_max = 65'535;
  return limits;
}

Answer call(const Handler& handler, const Task& task) {
  try {
    return handler(task);
  } catch (const std::exception& error) {
    return retry(error.what());
  } catch (...) {
    return retry("the handler threw something that is not a std::exception");
  }
}

}  // namespace

HandlerPool::HandlerPool(std::uint32_t slots, Handlers handlers)
    : shared_(std::make_shared<Shared>(slots, std::move(handlers))) {
  // A handler's write to a closed pipe is then an error, not a death.
  const host::SignalsBlocked inherited_by_the_threads;
  for (Slot& slot : shared_->slots) {
    threads_.emplace_back([shared = shared_, &slot] { serve(shared, slot); });
  }
}

bool HandlerPool::ok() const {
  return shared_->reported_event.ok() &&
         std::all_of(shared_->slots.begin(), shared_->slots.end(),
                     [](const Slot& slot) { return slot.event.ok(); });
}

HandlerPool::~HandlerPool() {
  std::vector<bool> left_behind;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->closing = true;
    for (const Slot& slot : shared_->slots) left_behind.push_back(slot.job != nullptr);
  }
  shared_->work.notify_all();
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    left_behind[i] ? threads_[i].detach() : threads_[i].join();
  }
}

void HandlerPool::start(std::vector<DispatchedTask> tasks) {
  if (tasks.empty()) return;
  std::size_t wake = 0;
  {
    const std::lock_guard lock(shared_->mutex);
    for (DispatchedTask& task : tasks) {
      const HeldLease lease{task.task, task.fence};
      auto job = std::make_shared<Job>(std::move(task));
      jobs_.emplace(lease, job);
      shared_->waiting.push_back(std::move(job));
    }
    wake = std::min(tasks.size(), shared_->idle);
  }
  for (; wake > 0; --wake) shared_->work.notify_one();
}

void HandlerPool::stop(const HeldLease& lease, StopReason reason) {
  const auto found = jobs_.find(lease);
  if (found == jobs_.end()) return;
  Job& job = *found->second;
  const std::lock_guard lock(shared_->mutex);
  if (job.stop.load() >= reason) return;
  job.stop.store(reason);
  for (Slot& slot : shared_->slots) {
    if (slot.job != &job) continue;
    slot.raised = true;
    slot.event.raise();
  }
}

void HandlerPool::stop_all(StopReason reason) {
  for (const auto& [lease, job] : jobs_) stop(lease, reason);
}

HandlerPool::Reported HandlerPool::take_reported() {
  Reported taken;
  {
    const std::lock_guard lock(shared_->mutex);
    std::swap(taken, shared_->reported);
    if (shared_->signalled) shared_->reported_event.clear();
    shared_->signalled = false;
  }
  for (const Completion& completion : taken.completions) {
    jobs_.erase(HeldLease{completion.task, completion.fence});
  }
  return taken;
}

int HandlerPool::descriptor() const {
  return shared_->reported_event.descriptor();
}

void HandlerPool::set_result_bytes_max(ByteCount most) {
  shared_->result_bytes_max.store(most.value);
}

// Requires the mutex. Wakes the session's thread unless it has been woken already.
void HandlerPool::signal(Shared& shared) {
  if (shared.signalled) return;
  shared.signalled = true;
  shared.reported_event.raise();
}

void HandlerPool::serve(const std::shared_ptr<Shared>& shared, Slot& slot) {
  std::unique_lock lock(shared->mutex);
  for (;;) {
    ++shared->idle;
    shared->work.wait(lock, [&] { return shared->closing || !shared->waiting.empty(); });
    --shared->idle;
    if (shared->closing) return;
    const std::shared_ptr<Job> job = std::move(shared->waiting.front());
    shared->waiting.pop_front();
    slot.job = job.get();
    lock.unlock();
    Completion completion = run(*shared, slot, *job);
    lock.lock();
    slot.job = nullptr;
    if (std::exchange(slot.raised, false)) slot.event.clear();
    shared->reported.completions.push_back(std::move(completion));
    signal(*shared);
  }
}

Completion HandlerPool::run(Shared& shared, const Slot& slot, const Job& job) {
  using SteadyClock = std::chrono::steady_clock;
  const auto started = SteadyClock::now();
  Answer answer;
  if (job.stop.load() != StopReason::none) {
    answer = retry("stopped before its start");
  } else if (auto description = wire::decode_task(job.dispatched.spec, broker_has_checked());
             !description) {
    answer = fail_for_good("the task cannot be read: " + description.error().message);
  } else if (const auto handler = shared.handlers.find(job.dispatched.queue);
             handler == shared.handlers.end()) {
    answer = retry("this worker has no handler for queue '" + job.dispatched.queue + "'");
  } else {
    const HandlerContext context(shared, slot, job, *std::move(description));
    answer = call(handler->second, context.task());
  }
  Completion completion;
  completion.task = job.dispatched.task;
  completion.fence = job.dispatched.fence;
  completion.outcome = answer.outcome;
  completion.error = std::move(answer.error);
  completion.result = std::move(answer.result);
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::nanoseconds>(SteadyClock::now() - started);
  completion.elapsed = Duration::nanoseconds(elapsed.count());
  return completion;
}

void HandlerContext::ask(Duration by, std::uint8_t progress_percent) const {
  const std::lock_guard lock(shared_.mutex);
  shared_.reported.extensions.push_back(
      Extension{dispatched().task, dispatched().fence, by, progress_percent});
  HandlerPool::signal(shared_);
}

}  // namespace millrace::worker
