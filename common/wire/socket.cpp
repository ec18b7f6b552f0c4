#include "common/wire/socket.h"

#include <algorithm>
#include <charconv>
#include <memory>

namespace millrace::wire {
namespace {

// ZMQ_ZERO_COPY_RECV: a stable number whose name zmq.h shows only with the draft API. Zero-copy
// receive hands out addresses inside a shared buffer, misaligned and pinning all of it.
constexpr int kZeroCopyReceiveOption = 10;

// ZMQ_ZAP_ENFORCE_DOMAIN, likewise. Without it libzmq lets everybody in when nobody serves ZAP.
constexpr int kEnforceDomainOption = 93;
constexpr const char* kZapDomain = "millrace";

// Rounded up, so that a wait for a deadline does not end just before it.
int in_milliseconds(Duration duration) {
  const Duration clamped = std::clamp(duration, Duration(), Duration::hours(1));
  return static_cast<int>((clamped + Duration::nanoseconds(999'999)).in_milliseconds());
}

// False for "tcp://127.0.0.1:99999", which libzmq would take for another port.
bool has_usable_port(const std::string& address) {
  if (address.rfind("tcp://", 0) != 0) return true;
  const std::string_view port = std::string_view(address).substr(address.rfind(':') + 1);
  if (port == "*") return true;
  std::uint16_t number = 0;
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == port.data() + port.size();
}

Error unusable(const char* verb, const std::string& address, const char* cause) {
  return {ErrorCode::misconfigured, std::string("cannot ") + verb + " " + address + ": " + cause +
                                        "; the form is tcp://HOST:PORT with a port up to 65535"};
}

void set_common_options(zmq::socket_t& socket, const std::string& address,
                        const SocketOptions& options) {
  namespace sockopt = zmq::sockopt;
  socket.set(sockopt::linger, in_milliseconds(options.linger));
  socket.set(sockopt::sndhwm, options.send_messages_max);
  socket.set(sockopt::rcvhwm, options.receive_messages_max);
  socket.set(sockopt::maxmsgsize, static_cast<std::int64_t>(options.frame_bytes_max.value));
  socket.set(sockopt::handshake_ivl, 5'000);  // frees connections that never speak ZMTP
  // Half-open connections are TCP's to find. ZMTP's own heartbeats stay off: with them libzmq ends
  // the process when a peer goes away whose messages fill its queue (docs/decisions/0060).
  socket.set(sockopt::tcp_keepalive, 1);
  socket.set(sockopt::tcp_keepalive_idle, 10);
  socket.set(sockopt::tcp_keepalive_intvl, 5);
  socket.set(sockopt::tcp_keepalive_cnt, 3);
  socket.set(sockopt::tcp_maxrt, 25'000);
  // Only for literals: with it, "localhost" would mean ::1 where a broker listens on 127.0.0.1.
  if (address.find('[') != std::string::npos) socket.set(sockopt::ipv6, 1);
}

void set_connecting_options(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::immediate, 1);  // nothing waits for a connection to go out stale on it
  socket.set(zmq::sockopt::reconnect_ivl, 100);
  socket.set(zmq::sockopt::reconnect_ivl_max, 1'000);
}

// Throws where this libzmq cannot promise to let nobody in without being told so.
void set_keys(zmq::socket_t& socket, const SocketOptions& options) {
  namespace sockopt = zmq::sockopt;
  if (options.broker_key != nullptr) {
    socket.set(sockopt::zap_domain, kZapDomain);
    const int on = 1;
    if (zmq_setsockopt(socket.handle(), kEnforceDomainOption, &on, sizeof on) != 0) {
      throw zmq::error_t();
    }
    socket.set(sockopt::curve_server, 1);
    socket.set(sockopt::curve_secretkey, options.broker_key->secret_key.text());
  }
  if (options.key != nullptr) {
    socket.set(sockopt::curve_serverkey, options.key->broker.text());
    socket.set(sockopt::curve_publickey, options.key->own.public_key.text());
    socket.set(sockopt::curve_secretkey, options.key->own.secret_key.text());
  }
  if (!options.routing_id.empty()) socket.set(sockopt::routing_id, options.routing_id);
}

void set_type_options(zmq::socket_t& socket, zmq::socket_type type, const SocketOptions& options) {
  if (type == zmq::socket_type::router) {
    socket.set(zmq::sockopt::router_mandatory, 1);  // a full or lost peer is an answer, not a drop
    // The same peer may return before we noticed. With keys it might be another.
    socket.set(zmq::sockopt::router_handover, options.broker_key == nullptr ? 1 : 0);
  }
  if (type == zmq::socket_type::sub) socket.set(zmq::sockopt::subscribe, "");
}

Result<zmq::socket_t> bind_socket(zmq::context_t& context, zmq::socket_type type,
                                  const std::string& address, const SocketOptions& options) {
  if (!has_usable_port(address)) return unusable("listen on", address, "bad port");
  try {
    zmq::socket_t socket(context, type);
    set_common_options(socket, address, options);
    set_type_options(socket, type, options);
    set_keys(socket, options);
    socket.bind(address);
    return socket;
  } catch (const zmq::error_t& error) {
    return unusable("listen on", address, error.what());
  }
}

Result<zmq::socket_t> connect_socket(zmq::context_t& context, zmq::socket_type type,
                                     const std::string& address, const SocketOptions& options) {
  if (!has_usable_port(address)) return unusable("connect to", address, "bad port");
  try {
    zmq::socket_t socket(context, type);
    set_common_options(socket, address, options);
    set_connecting_options(socket);
    set_type_options(socket, type, options);
    set_keys(socket, options);
    socket.connect(address);
    return socket;
  } catch (const zmq::error_t& error) {
    return unusable("connect to", address, error.what());
  }
}

// Called by a thread of libzmq when the frame has left.
void release_owner(void* /*data*/, void* owner) {
  delete static_cast<SharedBytes*>(owner);
}

// Requires an uninitialised `message`.
void fill(zmq_msg_t& message, const SharedBytes& frame) {
  if (frame.size() >= kZeroCopySendLeast) {
    auto owner = std::make_unique<SharedBytes>(frame);
    // libzmq only reads what it sends.
    auto* data = const_cast<std::uint8_t*>(frame.data());
    const int rc = zmq_msg_init_data(&message, data, frame.size(), release_owner, owner.get());
    MILLRACE_CHECK(rc == 0, "memory for a message");
    static_cast<void>(owner.release());
    return;
  }
  const int rc = zmq_msg_init_size(&message, frame.size());
  MILLRACE_CHECK(rc == 0, "memory for a message");
  if (!frame.empty()) std::memcpy(zmq_msg_data(&message), frame.data(), frame.size());
}

// Zero when sent, else the error number.
int send_frame(zmq::socket_t& socket, const SharedBytes& frame, bool more) {
  zmq_msg_t message;
  fill(message, frame);
  const int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
  int rc = 0;
  do {
    rc = zmq_msg_send(&message, socket.handle(), flags);
  } while (rc < 0 && zmq_errno() == EINTR);
  if (rc >= 0) return 0;
  const int error = zmq_errno();
  zmq_msg_close(&message);
  return error;
}

// libzmq decides at the first frame whether a peer takes a message; a failure later on means that
// the peer went away and the message with it.
SendStatus send_all(zmq::socket_t& socket, const Frames& frames) {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const int error = send_frame(socket, frames[i], i + 1 < frames.size());
    if (error != 0) return error == EAGAIN ? SendStatus::full : SendStatus::unreachable;
  }
  return SendStatus::sent;
}

// False when nothing is there (or the context ends).
bool receive_frame(zmq::socket_t& socket, zmq::message_t& message) {
  int rc = 0;
  do {
    rc = zmq_msg_recv(message.handle(), socket.handle(), ZMQ_DONTWAIT);
  } while (rc < 0 && zmq_errno() == EINTR);
  return rc >= 0;
}

// Empty when the message has no such property.
std::string property_of(zmq::message_t& message, const char* name) {
  const char* value = zmq_msg_gets(message.handle(), name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

zmq::context_t make_context() {
  try {
    zmq::context_t context(1);
    // Refused by a libzmq that does not know it; then decoders copy what is misaligned.
    static_cast<void>(zmq_ctx_set(context.handle(), kZeroCopyReceiveOption, 0));
    return context;
  } catch (const zmq::error_t& error) {
    check_failed("zmq_ctx_new", __FILE__, __LINE__, error.what());
  }
}

Result<zmq::socket_t> bind_router(zmq::context_t& context, const std::string& address,
                                  const SocketOptions& options) {
  return bind_socket(context, zmq::socket_type::router, address, options);
}

Result<zmq::socket_t> bind_subscriber(zmq::context_t& context, const std::string& address,
                                      const SocketOptions& options) {
  return bind_socket(context, zmq::socket_type::sub, address, options);
}

Result<zmq::socket_t> bind_publisher(zmq::context_t& context, const std::string& address,
                                     const SocketOptions& options) {
  return bind_socket(context, zmq::socket_type::pub, address, options);
}

Result<zmq::socket_t> connect_dealer(zmq::context_t& context, const std::string& address,
                                     const SocketOptions& options) {
  return connect_socket(context, zmq::socket_type::dealer, address, options);
}

Result<zmq::socket_t> connect_publisher(zmq::context_t& context, const std::string& address,
                                        const SocketOptions& options) {
  return connect_socket(context, zmq::socket_type::pub, address, options);
}

Result<zmq::socket_t> connect_subscriber(zmq::context_t& context, const std::string& address,
                                         const SocketOptions& options) {
  return connect_socket(context, zmq::socket_type::sub, address, options);
}

std::uint16_t port_of(zmq::socket_t& socket) {
  const std::string endpoint = socket.get(zmq::sockopt::last_endpoint);
  const std::size_t colon = endpoint.rfind(':');
  std::uint16_t port = 0;
  if (colon != std::string::npos) {
    std::from_chars(endpoint.data() + colon + 1, endpoint.data() + endpoint.size(), port);
  }
  return port;
}

ReceiveStatus receive_frames(zmq::socket_t& socket, Frames& frames, std::size_t frames_max,
                             std::string* user_id) {
  frames.clear();
  bool too_many = false;
  bool more = true;
  while (more) {
    auto message = std::make_shared<zmq::message_t>();
    if (!receive_frame(socket, *message)) {
      frames.clear();  // never half a message
      return too_many ? ReceiveStatus::dropped : ReceiveStatus::nothing;
    }
    more = message->more();
    // Of the last frame: some versions of libzmq lose the properties of a ROUTER's first.
    if (user_id != nullptr && !more) *user_id = property_of(*message, kUserIdProperty);
    too_many = too_many || frames.size() == frames_max;
    if (too_many) continue;
    const std::span view(message->data<const std::uint8_t>(), message->size());
    frames.emplace_back(std::move(message), view);
  }
  if (!too_many) return ReceiveStatus::received;
  frames.clear();
  return ReceiveStatus::dropped;
}

SendStatus send_frames(zmq::socket_t& socket, const Frames& frames) {
  MILLRACE_CHECK(!frames.empty(), "a message has a frame");
  return send_all(socket, frames);
}

SendStatus send_frames_to(zmq::socket_t& router, const std::string& routing_id,
                          const Frames& frames) {
  MILLRACE_CHECK(!frames.empty(), "a message has a frame");
  const int error = send_frame(router, SharedBytes::copy_of(routing_id), true);
  if (error != 0) return error == EAGAIN ? SendStatus::full : SendStatus::unreachable;
  return send_all(router, frames);
}

int poll_items(zmq::pollitem_t* items, std::size_t count, Duration timeout) {
  const int ready = zmq_poll(items, static_cast<int>(count), in_milliseconds(timeout));
  return std::max(ready, 0);
}

}  // namespace millrace::wire
