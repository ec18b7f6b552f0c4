// Everything that can happen to the broker. Read this file and effect.h first.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "broker/core/queue_scope.h"
#include "common/base/messages.h"

namespace millrace::broker {

// Whose key a connection bears: the same key, the same number. None where no keys are in use.
using KeyNumber = Number<struct KeyTag, std::uint32_t>;

// A verified and validated message of a client connection, which its key allows.
struct FromClient {
  PeerId peer;
  ClientMessage message;
  // The queues its key may use, for as long as the step takes: tasks of others do not exist for it.
  // Null: every queue.
  const QueueScope* scope = nullptr;
};
// A verified and validated message of a worker connection, which its key allows.
struct FromWorker {
  PeerId peer;
  WorkerMessage message;
  KeyNumber key = {};
};
// A worker's beat on the heartbeat channel. Beats with an unknown session, or under another key
// than the worker's, are counted and ignored.
struct BeatHeard {
  Beat beat;
  KeyNumber key = {};
};
// Nothing of this peer counts any more, and it is told nothing: its leases end as if it had died.
struct PeerRevoked {
  PeerId peer;
};
// A Dispatch could not be handed to the transport: it certainly did not reach the worker.
struct DispatchUndeliverable {
  PeerId peer;
  std::vector<HeldLease> leases;
};
// The stored payload of a leased task fails its checksum: it cannot be run, now or later.
struct SpecUnreadable {
  TaskId task;
  Fence fence;
  std::string message;
};
// Any other message to this worker could not be handed over: the connection is gone or stuck.
struct WorkerUnreachable {
  PeerId peer;
};
// The store crossed its watermark in either direction.
struct StoreLevelChanged {
  bool accepting = true;
};
// The process was asked to stop: refuse new work, dispatch nothing, tell the peers.
struct StopRequested {};

using Event = std::variant<FromClient, FromWorker, BeatHeard, PeerRevoked, DispatchUndeliverable,
                           SpecUnreadable, WorkerUnreachable, StoreLevelChanged, StopRequested>;

}  // namespace millrace::broker
