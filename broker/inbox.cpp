#include "broker/inbox.h"

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

// What a message costs the core, in tasks that it has to look at.
std::size_t tasks_of(const ClientMessage& message) {
  return std::visit(
      [](const auto& typed) -> std::size_t {
        using Message = std::decay_t<decltype(typed)>;
        if constexpr (std::is_same_v<Message, ListTasks>) {
          return typed.limit;
        } else if constexpr (requires { typed.tasks.size(); }) {
          return typed.tasks.size();
        } else {
          return 1;
        }
      },
      message);
}

}  // namespace

Inbox::Inbox(BrokerSockets& sockets, PeerDirectory& peers, const PeerLimits& limits)
    : sockets_(sockets), peers_(peers), limits_(limits) {}

bool Inbox::receive(zmq::socket_t& socket, PeerKind kind, PeerId& peer, wire::Frames& frames) {
  while (true) {
    const wire::ReceiveStatus status = wire::receive_frames(socket, frames);
    if (status == wire::ReceiveStatus::nothing) return false;
    ++counters_.messages;
    if (status == wire::ReceiveStatus::dropped || frames.size() < 2) {
      ++counters_.bad_messages;
      continue;
    }
    peer = peers_.intern(kind, frames.front().text());
    frames.erase(frames.begin());
    return true;
  }
}

void Inbox::drain_beats(std::vector<Event>& events) {
  wire::Frames frames;
  for (int taken = 0; taken < kBeatsMost; ++taken) {
    const wire::ReceiveStatus status = wire::receive_frames(sockets_.beats, frames, 1);
    if (status == wire::ReceiveStatus::nothing) return;
    ++counters_.messages;
    if (status == wire::ReceiveStatus::dropped) {
      ++counters_.bad_messages;
      continue;
    }
    Result<Beat> beat = wire::decode_beat(frames.front());
    if (beat.ok()) {
      events.emplace_back(BeatHeard{*beat});
    } else {
      ++counters_.bad_messages;
    }
  }
}

void Inbox::drain_workers(std::vector<Event>& events, Effects& out) {
  wire::Frames frames;
  PeerId peer;
  std::size_t bytes = 0;
  for (int taken = 0; taken < kWorkerMessagesMost && bytes < kBytesMost; ++taken) {
    const std::size_t known = peers_.size();
    if (!receive(sockets_.workers, PeerKind::worker, peer, frames)) return;
    bytes += size_of(frames);
    Result<WorkerMessage> message = wire::decode_worker_message(frames, limits_);
    if (message.ok()) {
      events.emplace_back(FromWorker{peer, std::move(*message)});
      continue;
    }
    ++counters_.bad_messages;
    out.sends.push_back(
        ToWorker{peer, Refused{RequestId(), message.error().code, message.error().message, {}}});
    if (peers_.size() > known) out.forgotten.push_back(peer);
  }
}

void Inbox::drain_clients(std::vector<Event>& events, Effects& out) {
  wire::Frames frames;
  PeerId peer;
  std::size_t bytes = 0;
  std::size_t tasks = 0;
  for (int taken = 0; taken < kClientMessagesMost && bytes < kBytesMost && tasks < kClientTasksMost;
       ++taken) {
    const std::size_t known = peers_.size();
    if (!receive(sockets_.clients, PeerKind::client, peer, frames)) return;
    bytes += size_of(frames);
    if (!peers_.reads(peer)) {  // it would not hear the answer: nothing is done for it
      ++counters_.unread_answers;
      continue;
    }
    Result<ClientMessage> message = wire::decode_client_message(frames, limits_);
    if (message.ok()) {
      tasks += tasks_of(*message);
      events.emplace_back(FromClient{peer, std::move(*message)});
      continue;
    }
    ++counters_.bad_messages;
    out.sends.push_back(ToClient{
        peer,
        Refused{wire::request_of(frames), message.error().code, message.error().message, {}}});
    if (peers_.size() > known) out.forgotten.push_back(peer);
  }
}

}  // namespace millrace::broker
