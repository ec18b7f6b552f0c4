// ZeroMQ sockets with the options that Millrace needs, and frames in and out without a copy. Only
// the stable libzmq API. A socket belongs to one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <zmq.hpp>

#include "common/keys/key_file.h"
#include "common/wire/control_codec.h"

namespace millrace::wire {

// One per process: some libzmq versions misbehave with several (see docs/decisions). Received
// frames are aligned to 8 bytes (ZMQ_ZERO_COPY_RECV off); decoders check and copy all the same.
zmq::context_t make_context();

struct SocketOptions {
  ByteCount frame_bytes_max = ByteCount::mebibytes(32);
  int send_messages_max = 1'000;                  // high-water mark per peer
  int receive_messages_max = 1'000;               // high-water mark per peer
  Duration linger = Duration::milliseconds(500);  // how long close waits for unsent messages

  // CURVE (docs/security.md). Without keys a socket speaks to anybody in the clear.
  std::shared_ptr<const keys::KeyPair> broker_key =
      nullptr;                                         // binding: whom to admit is asked of ZAP
  std::shared_ptr<const keys::PeerKey> key = nullptr;  // connecting
  // Connecting: the routing id to have at a ROUTER. Empty, as over TCP always: the ROUTER draws it.
  std::string routing_id = {};
};

// The property of a received message that says whose key it came under: the public key, as the ZAP
// handler named it. See receive_frames.
inline constexpr const char* kUserIdProperty = "User-Id";
// Where libzmq asks whom to admit. Whoever serves it must do so before a socket with a broker_key
// is bound. Nobody serves it, or it does not answer: nobody gets in.
inline constexpr const char* kZapEndpoint = "inproc://zeromq.zap.01";

// Bound sockets. `address` is "tcp://127.0.0.1:5555"; port "*" picks a free one, see port_of.
// IPv6 only for literals in brackets ("tcp://[::1]:5555"); host names resolve to IPv4.
// ROUTER: MANDATORY on; HANDOVER on, but with keys, where one peer must not take another's place.
// Errors: misconfigured with the address and the cause.
Result<zmq::socket_t> bind_router(zmq::context_t& context, const std::string& address,
                                  const SocketOptions& options);
Result<zmq::socket_t> bind_subscriber(zmq::context_t& context, const std::string& address,
                                      const SocketOptions& options);
Result<zmq::socket_t> bind_publisher(zmq::context_t& context, const std::string& address,
                                     const SocketOptions& options);

// Connecting sockets: IMMEDIATE, a fresh routing id, reconnect after 100 ms growing to 1 s, TCP
// keep-alive. Errors: misconfigured for an address that cannot be used.
Result<zmq::socket_t> connect_dealer(zmq::context_t& context, const std::string& address,
                                     const SocketOptions& options);
Result<zmq::socket_t> connect_publisher(zmq::context_t& context, const std::string& address,
                                        const SocketOptions& options);
Result<zmq::socket_t> connect_subscriber(zmq::context_t& context, const std::string& address,
                                         const SocketOptions& options);

// The TCP port a bound socket got.
std::uint16_t port_of(zmq::socket_t& socket);

enum class ReceiveStatus { received, nothing, dropped };  // dropped: too many frames, all read away
// Never blocks. `frames` is overwritten; for a ROUTER the first frame is the routing id and counts.
// `user_id`, where asked for: see kUserIdProperty; empty for what came without a key.
ReceiveStatus receive_frames(zmq::socket_t& socket, Frames& frames, std::size_t frames_max = 4,
                             std::string* user_id = nullptr);

// Frames of this size and more are handed over without a copy and stay alive until libzmq has sent
// them. Smaller ones are copied, which costs less than the bookkeeping of a shared owner.
inline constexpr std::size_t kZeroCopySendLeast = 4 * 1024;

enum class SendStatus { sent, full, unreachable };
// Never blocks. full: the peer's (or the only) queue is at its high-water mark.
SendStatus send_frames(zmq::socket_t& socket, const Frames& frames);
// To one peer of a ROUTER. unreachable: no such peer (any more). Nothing is half sent.
SendStatus send_frames_to(zmq::socket_t& router, const std::string& routing_id,
                          const Frames& frames);

// Waits until one of the items is ready or `timeout` has passed; a signal ends the wait early.
// Returns the number of ready items.
int poll_items(zmq::pollitem_t* items, std::size_t count, Duration timeout);

}  // namespace millrace::wire
