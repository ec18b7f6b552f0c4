// The outbox of the simulated broker: fills in what lies in the store, and learns what cannot be
// delivered, as the real one does.
#include <utility>

#include "tests/simulation/broker_node.h"

namespace millrace::simulation {

using namespace broker;  // NOLINT: the shell speaks the core's language throughout

void BrokerNode::to_client(PeerId peer, ClientReply reply) {
  const auto found = peers_.find(peer);
  if (found == peers_.end() || found->second.client == nullptr) return;
  found->second.wire->to_node(
      [client = found->second.client, reply = std::move(reply)] { client->receive(reply); });
}

bool BrokerNode::to_worker(PeerId peer, WorkerReply reply) {
  const auto found = peers_.find(peer);
  if (found == peers_.end() || found->second.worker == nullptr) return false;
  const Peer& to = found->second;
  if (to.wire->is_known_gone()) return false;
  to.wire->to_node([worker = to.worker, reply = std::move(reply)] { worker->receive(reply); });
  return true;
}

void BrokerNode::deliver(ToClient& send) {
  to_client(send.peer, std::move(send.reply));
}

void BrokerNode::deliver(ToWorker& send) {
  if (to_worker(send.peer, std::move(send.reply))) return;
  world_.note(Happening::worker_unreachable);
  shell_events_.emplace_back(WorkerUnreachable{send.peer});
  wake();
}

void BrokerNode::deliver(DispatchToWorker& send) {
  Dispatch message;
  std::vector<HeldLease> leases;
  for (DispatchToWorker::Item& item : send.items) {
    Result<SharedBytes> spec = disk_.store().read_spec(item.sequence);
    if (spec.ok() && world_.chance(plan_.unreadable)) {
      world_.note(Happening::spec_unreadable, 0, oracle_.tasks().add(item.task.task).number);
      spec = Error{ErrorCode::corrupt, "the checksum does not match"};
    }
    if (!spec.ok()) {
      shell_events_.emplace_back(
          SpecUnreadable{item.task.task, item.task.fence, spec.error().message});
      wake();
      continue;
    }
    item.task.spec = std::move(*spec);
    leases.push_back({item.task.task, item.task.fence});
    message.tasks.push_back(std::move(item.task));
  }
  if (message.tasks.empty() || to_worker(send.peer, std::move(message))) return;
  world_.note(Happening::dispatch_undeliverable);
  shell_events_.emplace_back(DispatchUndeliverable{send.peer, std::move(leases)});
  wake();
}

void BrokerNode::deliver(FinishedToClient& send) {
  Finished message;
  for (FinishedToClient::Item& item : send.items) {
    if (item.read_result) {
      Result<SharedBytes> result = disk_.store().read_result(item.sequence);
      if (result.ok()) item.task.result = std::move(*result);
    }
    if (item.read_error) {
      Result<AttemptRecord> last = disk_.store().read_attempt(item.sequence, item.attempt_records);
      if (last.ok()) item.task.error = std::move(last->error);
    }
    message.tasks.push_back(std::move(item.task));
  }
  if (mutant_ != Mutant::lose_ends) to_client(send.peer, std::move(message));
}

void BrokerNode::deliver(TaskListToClient& send) {
  for (std::size_t at = 0; at < send.list.tasks.size(); ++at) {
    TaskView& view = send.list.tasks[at];
    const TaskListToClient::Stored& stored = send.stored[at];
    if (send.with_payload && stored.spec) {
      Result<SharedBytes> spec = disk_.store().read_spec(view.sequence);
      if (spec.ok()) view.spec = std::move(*spec);
    }
    if (send.with_result && stored.result) {
      Result<SharedBytes> result = disk_.store().read_result(view.sequence);
      if (result.ok()) view.result = std::move(*result);
    }
    for (std::uint32_t number = 1; number <= stored.attempt_records; ++number) {
      Result<AttemptRecord> record =
          disk_.store().read_attempt(view.sequence, static_cast<std::uint16_t>(number));
      if (!record.ok()) continue;
      view.error = record->error;
      if (send.with_attempts) view.attempt_records.push_back(std::move(*record));
    }
  }
  to_client(send.peer, std::move(send.list));
}

void BrokerNode::deliver(ExplainedToClient& send) {
  to_client(send.peer, std::move(send.explained));
}

void BrokerNode::deliver(StatusToClient& send) {
  to_client(send.peer, StatusReport{send.request, "{}"});
}

void BrokerNode::deliver(GoodbyeToAll& send) {
  for (auto& [peer, to] : peers_) {
    if (to.client != nullptr) {
      to_client(peer, BrokerGoodbye{send.message});
    } else {
      to_worker(peer, BrokerGoodbye{send.message});
    }
  }
}

}  // namespace millrace::simulation
