#include "broker/outbox.h"

#include <utility>

#include "common/wire/socket.h"

namespace millrace::broker {

Outbox::Outbox(BrokerSockets& sockets, PeerDirectory& peers, Store& store,
               const StatusBoard& status, const BrokerConfig& config)
    : sockets_(sockets),
      peers_(peers),
      store_(store),
      status_(status),
      specs_(config.spec_cache_bytes_max) {}

void Outbox::remember_specs(const std::vector<Write>& writes) {
  for (const Write& write : writes) {
    if (const auto* put = std::get_if<PutSpec>(&write)) specs_.keep(put->sequence, put->bytes);
  }
}

void Outbox::hold(BatchNumber batch, Effects& effects, ByteCount write_bytes) {
  if (effects.sends.empty() && effects.forgotten.empty() && write_bytes.value == 0) return;
  turns_.push_back(
      Turn{batch, std::move(effects.sends), std::move(effects.forgotten), write_bytes});
  held_write_bytes_ = held_write_bytes_ + write_bytes;
}

void Outbox::release(BatchNumber durable, std::vector<Event>& undelivered) {
  while (!turns_.empty() && turns_.front().batch <= durable) {
    Turn turn = std::move(turns_.front());
    turns_.pop_front();
    held_write_bytes_ = held_write_bytes_ - turn.write_bytes;
    for (Send& send : turn.sends) {
      std::visit([&](auto& typed) { deliver(typed, undelivered); }, send);
    }
    for (const PeerId peer : turn.forgotten) peers_.forget(peer);
  }
}

// ---- transport ----------------------------------------------------------------------------------

bool Outbox::client_reads(PeerId peer) {
  const bool reads = peers_.reads(peer);
  if (!reads) ++sends_dropped_;
  return reads;
}

// A reply a client does not take is dropped and counted: the client asks again.
void Outbox::to_client(PeerId peer, const ClientReply& reply) {
  if (!client_reads(peer)) return;
  const PeerDirectory::Route& route = *peers_.find(peer);
  wire::Frames frames = wire::encode(reply);
  for (SharedBytes& frame : frames) {
    // Smaller ones are copied, and the high-water mark bounds them.
    if (frame.size() >= wire::kZeroCopySendLeast) frame = peers_.counted(route, std::move(frame));
  }
  if (wire::send_frames_to(sockets_.clients, route.routing_id, frames) != wire::SendStatus::sent) {
    ++sends_dropped_;
  }
}

bool Outbox::to_worker(PeerId peer, const WorkerReply& reply) {
  const PeerDirectory::Route* route = peers_.find(peer);
  const bool sent =
      route != nullptr && wire::send_frames_to(sockets_.workers, route->routing_id,
                                               wire::encode(reply)) == wire::SendStatus::sent;
  if (!sent) ++sends_dropped_;
  return sent;
}

void Outbox::deliver(ToClient& send, std::vector<Event>&) {
  to_client(send.peer, send.reply);
}

void Outbox::deliver(ToWorker& send, std::vector<Event>& undelivered) {
  if (!to_worker(send.peer, send.reply)) undelivered.emplace_back(WorkerUnreachable{send.peer});
}

void Outbox::deliver(StatusToClient& send, std::vector<Event>&) {
  to_client(send.peer, StatusReport{send.request, status_.document(send.topic)});
}

void Outbox::deliver(GoodbyeToAll& send, std::vector<Event>&) {
  std::vector<std::pair<PeerId, PeerKind>> everyone;
  peers_.for_each([&](PeerId peer, const PeerDirectory::Route& route) {
    everyone.emplace_back(peer, route.kind);
  });
  for (const auto& [peer, kind] : everyone) {
    if (kind == PeerKind::client) {
      to_client(peer, BrokerGoodbye{send.message});
    } else {
      to_worker(peer, BrokerGoodbye{send.message});
    }
  }
}

// ---- what the store fills in --------------------------------------------------------------------

void Outbox::deliver(DispatchToWorker& send, std::vector<Event>& undelivered) {
  Dispatch message;
  std::size_t bytes = 0;
  for (DispatchToWorker::Item& item : send.items) {
    SharedBytes spec = specs_.take(item.sequence);
    if (spec.empty()) {
      Result<SharedBytes> stored = store_.read_spec(item.sequence);
      if (!stored.ok()) {
        undelivered.emplace_back(SpecUnreadable{item.task.task, item.task.fence,
                                                "the stored payload: " + stored.error().message});
        continue;
      }
      spec = std::move(*stored);
    }
    if (!message.tasks.empty() && bytes + spec.size() > kBundleBytesMost) {
      dispatch(send.peer, message, undelivered);
      bytes = 0;
    }
    bytes += spec.size();
    item.task.spec = std::move(spec);
    message.tasks.push_back(std::move(item.task));
  }
  if (!message.tasks.empty()) dispatch(send.peer, message, undelivered);
}

// Sends and empties the message. Not taken: the leases go back to the core, at no cost to the
// tasks.
void Outbox::dispatch(PeerId peer, Dispatch& message, std::vector<Event>& undelivered) {
  std::vector<HeldLease> leases;
  leases.reserve(message.tasks.size());
  for (const DispatchedTask& task : message.tasks) leases.push_back({task.task, task.fence});
  Dispatch sending;
  sending.tasks.swap(message.tasks);
  if (!to_worker(peer, WorkerReply(std::move(sending)))) {
    undelivered.emplace_back(DispatchUndeliverable{peer, std::move(leases)});
  }
}

void Outbox::deliver(FinishedToClient& send, std::vector<Event>&) {
  if (!client_reads(send.peer)) return;  // before anything is read for it
  Finished message;
  std::size_t bytes = 0;
  const auto flush = [&] {
    if (!message.tasks.empty())
      to_client(send.peer, ClientReply(std::exchange(message, Finished())));
    bytes = 0;
  };
  const std::size_t items_max = PeerLimits().batch_items_max;
  for (FinishedToClient::Item& item : send.items) {
    if (item.read_result) {
      Result<SharedBytes> result = store_.read_result(item.sequence);
      if (result.ok()) {
        item.task.result = std::move(*result);
      } else if (result.error().code != ErrorCode::not_found) {
        item.task.error = "the stored result: " + result.error().message;
      }
    }
    if (item.read_error) {
      Result<AttemptRecord> last = store_.read_attempt(item.sequence, item.attempt_records);
      if (last.ok()) item.task.error = std::move(last->error);
    }
    const std::size_t more = item.task.result.size() + item.task.error.size();
    if (bytes + more > kBundleBytesMost || message.tasks.size() == items_max) flush();
    bytes += more;
    message.tasks.push_back(std::move(item.task));
  }
  flush();
}

void Outbox::deliver(TaskListToClient& send, std::vector<Event>&) {
  if (!client_reads(send.peer)) return;  // before anything is read for it
  std::size_t bytes = 0;
  for (std::size_t at = 0; at < send.list.tasks.size(); ++at) {
    fill(send.list.tasks[at], send, at, bytes);
  }
  to_client(send.peer, ClientReply(std::move(send.list)));
}

void Outbox::deliver(ExplainedToClient& send, std::vector<Event>&) {
  if (!client_reads(send.peer)) return;  // before anything is read for it
  TaskView& view = send.explained.task;
  read_attempts(view, 1, send.attempt_records);
  if (send.read_last_lease) {
    const Result<TaskRecord> record = store_.read_task(view.sequence);
    if (record.ok()) {
      send.explained.started = record->leased;
      view.worker = record->last_worker.text();
    }
  }
  to_client(send.peer, ClientReply(std::move(send.explained)));
}

// Beyond kBundleBytesMost specs and results stay out: their sizes in the view say what is missing,
// and they can be asked for one by one.
void Outbox::fill(TaskView& view, const TaskListToClient& send, std::size_t at,
                  std::size_t& bytes) {
  const TaskListToClient::Stored& stored = send.stored[at];
  if (send.with_payload && stored.spec && bytes < kBundleBytesMost) {
    Result<SharedBytes> spec = store_.read_spec(view.sequence);
    if (spec.ok()) view.spec = std::move(*spec);
    bytes += view.spec.size();
  }
  if (send.with_result && stored.result && bytes < kBundleBytesMost) {
    Result<SharedBytes> result = store_.read_result(view.sequence);
    if (result.ok()) view.result = std::move(*result);
    bytes += view.result.size();
  }
  const std::uint16_t last = stored.attempt_records;
  bytes += read_attempts(view, send.with_attempts ? std::uint16_t{1} : last, last);
  if (!send.with_attempts) view.attempt_records.clear();
}

// The attempts numbered `first` to `last`, and the error of the last; the bytes of their errors.
std::size_t Outbox::read_attempts(TaskView& view, std::uint16_t first, std::uint16_t last) {
  std::size_t bytes = 0;
  for (std::uint32_t number = first; last > 0 && number <= last; ++number) {
    Result<AttemptRecord> record =
        store_.read_attempt(view.sequence, static_cast<std::uint16_t>(number));
    if (!record.ok()) continue;
    if (number == last) view.error = record->error;
    bytes += record->error.size();
    view.attempt_records.push_back(std::move(*record));
  }
  return bytes;
}

}  // namespace millrace::broker
