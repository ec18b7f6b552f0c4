// Everything that can happen to the broker. Read this file and effect.h first.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "common/base/messages.h"

namespace millrace::broker {

// A verified and validated message of a client connection.
struct FromClient {
  PeerId peer;
  ClientMessage message;
};
// A verified and validated message of a worker connection.
struct FromWorker {
  PeerId peer;
  WorkerMessage message;
};
// A worker's beat on the heartbeat channel. Beats with an unknown session are counted and ignored.
struct BeatHeard {
  Beat beat;
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

using Event = std::variant<FromClient, FromWorker, BeatHeard, DispatchUndeliverable, SpecUnreadable,
                           WorkerUnreachable, StoreLevelChanged, StopRequested>;

}  // namespace millrace::broker
