#include "broker/inbox.h"

#include <algorithm>
#include <type_traits>
#include <variant>

#include "common/wire/heartbeat_codec.h"

namespace millrace::broker {
namespace {

std::size_t size_of(const wire::Frames& frames) {
  std::size_t bytes = 0;
  for (const SharedBytes& frame : frames) bytes += frame.size();
  return bytes;
}

// What changes without naming its tasks changes up to this many.
constexpr std::size_t kTasksOfStep = 10'000;
// It looks at the workers of a queue and at the neighbours of the task.
constexpr std::size_t kTasksOfExplain = 1'000;

// What a message costs the core, in tasks that it has to look at.
std::size_t tasks_of(const ClientMessage& message) {
  return std::visit(
      [](const auto& typed) -> std::size_t {
        using Message = std::decay_t<decltype(typed)>;
        if constexpr (std::is_same_v<Message, ListTasks>) {
          return typed.limit;
        } else if constexpr (std::is_same_v<Message, ChangeTasks>) {
          return kTasksOfStep;
        } else if constexpr (std::is_same_v<Message, ControlQueue>) {
          return typed.action == QueueAction::purge ? kTasksOfStep : 1;
        } else if constexpr (std::is_same_v<Message, RequeueDead> ||
                             std::is_same_v<Message, PurgeDead>) {
          return typed.tasks.empty() ? kTasksOfStep : typed.tasks.size();
        } else if constexpr (std::is_same_v<Message, Explain>) {
          return kTasksOfExplain;
        } else if constexpr (requires { typed.tasks.size(); }) {
          return typed.tasks.size();
        } else {
          return 1;
        }
      },
      message);
}

}  // namespace

Inbox::Inbox(BrokerSockets& sockets, PeerDirectory& peers, const AccessKeeper* keeper,
             const PeerLimits& limits)
    : sockets_(sockets), peers_(peers), guard_(keeper), limits_(limits) {}

void Inbox::drain_revocations(std::vector<Event>& events) {
  const std::vector<KeyNumber> voided = guard_.refresh();
  if (voided.empty()) return;
  std::vector<PeerId> revoked;
  peers_.for_each([&](PeerId peer, const PeerDirectory::Route& route) {
    if (std::find(voided.begin(), voided.end(), route.key) != voided.end()) revoked.push_back(peer);
  });
  std::sort(revoked.begin(), revoked.end());
  for (const PeerId peer : revoked) {
    peers_.forget(peer);  // what is on its way to it stays here
    events.emplace_back(PeerRevoked{peer});
  }
}

bool Inbox::receive(zmq::socket_t& socket, PeerKind kind, Sender& sender, wire::Frames& frames) {
  std::string* const user_id = guard_.uses_keys() ? &user_id_ : nullptr;
  while (true) {
    const wire::ReceiveStatus status = wire::receive_frames(socket, frames, 4, user_id);
    if (status == wire::ReceiveStatus::nothing) return false;
    ++counters_.messages;
    if (status == wire::ReceiveStatus::dropped || frames.size() < 2) {
      ++counters_.bad_messages;
      continue;
    }
    const std::string_view routing_id = frames.front().text();
    const std::optional<Caller> caller = guard_.caller(user_id_, routing_id);
    const std::size_t known = peers_.size();
    const PeerId peer =
        caller.has_value() ? peers_.intern(kind, routing_id, caller->key) : PeerId();
    if (peer.is_none()) {
      ++counters_.forbidden;
      continue;
    }
    sender = {peer, *caller, peers_.size() > known};
    frames.erase(frames.begin());
    return true;
  }
}

template <class ToPeer>
void Inbox::refuse(const Sender& sender, RequestId request, const Error& error, Effects& out) {
  if (error.code == ErrorCode::forbidden) {
    ++counters_.forbidden;
  } else {
    ++counters_.bad_messages;
  }
  out.sends.push_back(ToPeer{sender.peer, Refused{request, error.code, error.message, {}}});
  if (sender.is_new) out.forgotten.push_back(sender.peer);
}

void Inbox::drain_beats(std::vector<Event>& events) {
  std::string* const user_id = guard_.uses_keys() ? &user_id_ : nullptr;
  wire::Frames frames;
  for (int taken = 0; taken < kBeatsMost; ++taken) {
    const wire::ReceiveStatus status = wire::receive_frames(sockets_.beats, frames, 1, user_id);
    if (status == wire::ReceiveStatus::nothing) return;
    ++counters_.messages;
    if (status == wire::ReceiveStatus::dropped) {
      ++counters_.bad_messages;
      continue;
    }
    const std::optional<Caller> caller = guard_.beating_caller(user_id_);
    if (!caller.has_value()) {
      ++counters_.forbidden;
      continue;
    }
    Result<Beat> beat = wire::decode_beat(frames.front());
    if (beat.ok()) {
      events.emplace_back(BeatHeard{*beat, caller->key});
    } else {
      ++counters_.bad_messages;
    }
  }
}

void Inbox::drain_workers(std::vector<Event>& events, Effects& out) {
  wire::Frames frames;
  Sender sender;
  std::size_t bytes = 0;
  for (int taken = 0; taken < kWorkerMessagesMost && bytes < kBytesMost; ++taken) {
    if (!receive(sockets_.workers, PeerKind::worker, sender, frames)) return;
    bytes += size_of(frames);
    Result<WorkerMessage> message = wire::decode_worker_message(frames, limits_);
    if (!message.ok()) {
      refuse<ToWorker>(sender, RequestId(), message.error(), out);
    } else if (const auto error = guard_.judge(sender.caller, *message)) {
      refuse<ToWorker>(sender, RequestId(), *error, out);
    } else {
      events.emplace_back(FromWorker{sender.peer, std::move(*message), sender.caller.key});
    }
  }
}

void Inbox::drain_clients(std::vector<Event>& events, Effects& out) {
  wire::Frames frames;
  Sender sender;
  std::size_t bytes = 0;
  std::size_t tasks = 0;
  for (int taken = 0; taken < kClientMessagesMost && bytes < kBytesMost && tasks < kClientTasksMost;
       ++taken) {
    if (!receive(sockets_.clients, PeerKind::client, sender, frames)) return;
    bytes += size_of(frames);
    if (!peers_.reads(sender.peer)) {  // it would not hear the answer: nothing is done for it
      ++counters_.unread_answers;
      continue;
    }
    Result<ClientMessage> message = wire::decode_client_message(frames, limits_);
    if (!message.ok()) {
      refuse<ToClient>(sender, wire::request_of(frames), message.error(), out);
    } else if (const auto error = guard_.judge(sender.caller, *message)) {
      refuse<ToClient>(sender, wire::request_of(frames), *error, out);
    } else {
      tasks += tasks_of(*message);
      events.emplace_back(FromClient{sender.peer, std::move(*message), sender.caller.scope()});
    }
  }
}

}  // namespace millrace::broker
