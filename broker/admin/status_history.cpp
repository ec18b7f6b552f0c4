#include "broker/admin/status_history.h"

#include <algorithm>

#include "broker/admin/status_figures.h"

namespace millrace::broker {
namespace {

std::vector<QueueSample> deepest_queues(const std::vector<QueueStatus>& queues) {
  std::vector<const QueueStatus*> order;
  order.reserve(queues.size());
  for (const QueueStatus& queue : queues) order.push_back(&queue);
  const auto deeper = [](const QueueStatus* a, const QueueStatus* b) {
    const std::uint64_t waiting_a = a->pending + a->delayed;
    const std::uint64_t waiting_b = b->pending + b->delayed;
    return waiting_a != waiting_b ? waiting_a > waiting_b : a->name < b->name;
  };
  const std::size_t kept = std::min(order.size(), StatusRecorder::kQueuesMax);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                    deeper);
  order.resize(kept);
  std::sort(order.begin(), order.end(),
            [](const QueueStatus* a, const QueueStatus* b) { return a->name < b->name; });
  std::vector<QueueSample> samples;
  for (const QueueStatus* queue : order) {
    samples.push_back({queue->name, queue->pending + queue->delayed, queue->in_progress,
                       queue->oldest_pending_age});
  }
  return samples;
}

}  // namespace

StatusSample sample_of(const StatusSnapshot& snapshot) {
  const WorkerFigures workers = figures_of(snapshot.workers);
  StatusSample sample;
  sample.taken = snapshot.taken;
  sample.submitted = snapshot.totals.accepted;
  sample.succeeded = snapshot.totals.succeeded;
  sample.dead_lettered = snapshot.totals.dead;
  sample.retries = snapshot.totals.retries;
  sample.waiting = tasks_in(snapshot, TaskState::pending) + tasks_in(snapshot, TaskState::delayed);
  sample.in_progress = tasks_in(snapshot, TaskState::in_progress);
  sample.dead = tasks_in(snapshot, TaskState::dead);
  sample.slots = workers.slots;
  sample.busy_slots = workers.busy_slots;
  sample.workers = workers.connected;
  for (const QueueStatus& queue : snapshot.queues) {
    sample.oldest_pending_age = std::max(sample.oldest_pending_age, queue.oldest_pending_age);
  }
  sample.queues = deepest_queues(snapshot.queues);
  return sample;
}

std::shared_ptr<const StatusHistory> StatusRecorder::note(const StatusSnapshot& snapshot) {
  const auto& had = history_->samples;
  // A clock that was set back is followed at once: the curve shows what the clock says.
  const bool due = had.empty() || snapshot.taken >= had.back()->taken + kInterval ||
                   snapshot.taken < had.back()->taken;
  if (!due) return history_;
  const std::size_t dropped = had.size() < kSamplesMax ? 0 : had.size() - kSamplesMax + 1;
  auto next = std::make_shared<StatusHistory>();
  next->samples.assign(had.begin() + static_cast<std::ptrdiff_t>(dropped), had.end());
  next->samples.push_back(std::make_shared<const StatusSample>(sample_of(snapshot)));
  history_ = std::move(next);
  return history_;
}

}  // namespace millrace::broker
