// Control messages: values <-> frames. A message is one control frame (a FlatBuffer of
// schemas/control.fbs) and, where the message carries specs or results, one bundle frame: those
// byte strings one after the other, each starting at a multiple of 8, their lengths in the control
// frame.
//
// Decoding checks in this order: number and size of frames, the FlatBuffers verifier with tight
// limits, then every rule of docs/protocol.md (ranges, names, UTF-8, lengths, counts). Nothing is
// read before it is verified. Pure functions; thread-safe.
#pragma once

#include <vector>

#include "common/base/messages.h"

namespace millrace::wire {

// A message's frames without the ROUTER's routing id.
using Frames = std::vector<SharedBytes>;

// Errors of all four: unsupported (unknown message type or protocol version), too_large, invalid;
// the text says which field and which rule. A bad task inside a Submit does not fail the message:
// its item carries the problem, and the other items go on.
Result<ClientMessage> decode_client_message(const Frames& frames, const PeerLimits& limits);
Result<ClientReply> decode_client_reply(const Frames& frames, const PeerLimits& limits);
Result<WorkerMessage> decode_worker_message(const Frames& frames, const PeerLimits& limits);
Result<WorkerReply> decode_worker_reply(const Frames& frames, const PeerLimits& limits);

Frames encode(const ClientMessage& message);
Frames encode(const ClientReply& reply);
Frames encode(const WorkerMessage& message);
Frames encode(const WorkerReply& reply);

// The request id of a client message whose verified envelope has one, else none: so that a refusal
// can name the request.
RequestId request_of(const Frames& frames);

}  // namespace millrace::wire
