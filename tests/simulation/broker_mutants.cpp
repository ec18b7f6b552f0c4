// The faults built into the simulated broker on purpose; see mutants.h.
#include <algorithm>
#include <utility>

#include "tests/simulation/broker_node.h"

namespace millrace::simulation {

using namespace broker;  // NOLINT: the shell speaks the core's language throughout

void BrokerNode::mutate_loaded(Totals& totals) const {
  if (mutant_ != Mutant::forget_books) return;
  const std::uint64_t last_sequence = totals.last_sequence;
  totals = Totals();
  totals.last_sequence = last_sequence;
}

bool BrokerNode::mutate_loaded(TaskRecord& record) const {
  switch (mutant_) {
    case Mutant::forget_attempts:
      record.attempts = std::min<std::uint16_t>(record.attempts, 1);
      return true;
    case Mutant::forget_fences:
      if (record.state != TaskState::in_progress) record.fence = Fence(record.attempts);
      if (record.state == TaskState::pending) record.fence = Fence(0), record.attempts = 0;
      return true;
    case Mutant::forget_cancels:
      record.cancel_requested = false;
      return true;
    case Mutant::forget_ended:
      return !is_terminal(record.state);
    default:
      return true;
  }
}

void BrokerNode::mutate_spec(TaskSpec& spec) const {
  if (mutant_ == Mutant::ignore_delays) {
    spec.delay = Duration();
    spec.not_before = Time();
  }
  if (mutant_ == Mutant::ignore_priorities) spec.priority = kPriorityDefault;
}

void BrokerNode::mutate_event(Event& event) {
  auto* from = std::get_if<FromWorker>(&event);
  if (mutant_ == Mutant::skip_adoption && from != nullptr) {
    auto* hello = std::get_if<WorkerHello>(&from->message);
    if (hello != nullptr && disk_.store().epoch() > Epoch(1)) hello->holding.clear();
  }
  auto* client = std::get_if<FromClient>(&event);
  auto* submit = client == nullptr ? nullptr : std::get_if<Submit>(&client->message);
  if (submit != nullptr) {
    for (SubmitItem& item : submit->tasks) mutate_spec(item.spec);
  }
  if (mutant_ == Mutant::ignore_fences && from != nullptr) {
    auto* complete = std::get_if<Complete>(&from->message);
    if (complete == nullptr || complete->items.size() != 1) return;
    Completion& completion = complete->items.front();
    const auto newest = leased_.find(completion.task);
    if (newest == leased_.end() || newest->second.fence == completion.fence) return;
    completion.fence = newest->second.fence;
    from->peer = newest->second.peer;
  }
}

void BrokerNode::mutate_effects(Effects& effects) {
  if (mutant_ == Mutant::ignore_fences) {
    for (const Send& send : effects.sends) {
      const auto* dispatch = std::get_if<DispatchToWorker>(&send);
      if (dispatch == nullptr) continue;
      for (const DispatchToWorker::Item& item : dispatch->items) {
        leased_[item.task.task] = Leased{item.task.fence, dispatch->peer};
      }
    }
  }
  if (mutant_ == Mutant::swap_results) {
    PutResult* last = nullptr;
    for (Write& write : effects.writes) {
      auto* put = std::get_if<PutResult>(&write);
      if (put == nullptr) continue;
      if (last != nullptr) std::swap(last->bytes, put->bytes);
      last = put;
    }
  }
}

}  // namespace millrace::simulation
