#include "broker/task_lookup.h"

#include <chrono>
#include <utility>

#include "common/wire/socket.h"

namespace millrace::broker {
namespace {

Error unavailable() {
  return {ErrorCode::unavailable, "the broker did not answer in time; try again"};
}

// What `frames` answer to `request`; nothing for whatever else they are, such as a late answer to
// an earlier request.
template <class Answer>
std::optional<Result<Answer>> answer_to(RequestId request, const wire::Frames& frames) {
  Result<ClientReply> reply = wire::decode_client_reply(frames, PeerLimits());
  if (!reply.ok()) return std::nullopt;
  if (auto* answer = std::get_if<Answer>(&*reply);
      answer != nullptr && answer->request == request) {
    return std::move(*answer);
  }
  const auto* refused = std::get_if<Refused>(&*reply);
  if (refused != nullptr && refused->request == request) {
    return Error{refused->code, refused->message};
  }
  return std::nullopt;
}

}  // namespace

// The right to the connection, for one caller at a time; waited for no longer than `patience`. (Not
// a std::timed_mutex: ThreadSanitizer does not know its waits.)
class TaskLookup::Turn {
 public:
  Turn(TaskLookup& lookup, Duration patience) : lookup_(lookup) {
    std::unique_lock lock(lookup_.mutex_);
    const auto limit = std::chrono::nanoseconds(patience.in_nanoseconds());
    mine_ = lookup_.turn_ended_.wait_for(lock, limit, [this] { return !lookup_.in_use_; });
    if (mine_) lookup_.in_use_ = true;
  }
  ~Turn() {
    if (!mine_) return;
    const std::lock_guard lock(lookup_.mutex_);
    lookup_.in_use_ = false;
    lookup_.turn_ended_.notify_one();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  bool is_mine() const { return mine_; }

 private:
  TaskLookup& lookup_;
  bool mine_ = false;
};

TaskLookup::TaskLookup(zmq::context_t& context, std::string address, Duration timeout,
                       std::string routing_id)
    : context_(context),
      address_(std::move(address)),
      timeout_(timeout),
      routing_id_(std::move(routing_id)) {}

Result<TaskList> TaskLookup::get(const GetTasks& request) {
  return ask<TaskList>(request);
}

Result<TaskList> TaskLookup::list(const ListTasks& request) {
  return ask<TaskList>(request);
}

Result<Explained> TaskLookup::explain(const TaskId& task) {
  return ask<Explained>(Explain{{}, task});
}

template <class Answer, class Request>
Result<Answer> TaskLookup::ask(Request request) {
  const Time deadline = clock_.now() + timeout_;
  const Turn turn(*this, timeout_);
  if (!turn.is_mine()) return unavailable();
  if (const Status connected = connect(); !connected.ok()) return connected.error();
  request.request = last_request_ = last_request_.next();
  if (!send(std::move(request), deadline)) return unavailable();
  return await<Answer>(last_request_, deadline);
}

Status TaskLookup::connect() {
  if (socket_.has_value()) return Done{};
  wire::SocketOptions options;
  options.routing_id = routing_id_;
  Result<zmq::socket_t> connected = wire::connect_dealer(context_, address_, options);
  if (!connected.ok()) return connected.error();
  socket_.emplace(std::move(*connected));
  return Done{};
}

// A connection over tcp takes a message only once it is made.
bool TaskLookup::send(const ClientMessage& message, Time deadline) {
  const wire::Frames frames = wire::encode(message);
  while (wait_for(ZMQ_POLLOUT, deadline)) {
    if (wire::send_frames(*socket_, frames) == wire::SendStatus::sent) return true;
  }
  return false;
}

template <class Answer>
Result<Answer> TaskLookup::await(RequestId request, Time deadline) {
  wire::Frames frames;
  while (wait_for(ZMQ_POLLIN, deadline)) {
    while (wire::receive_frames(*socket_, frames) != wire::ReceiveStatus::nothing) {
      if (auto answer = answer_to<Answer>(request, frames)) return *std::move(answer);
    }
  }
  return unavailable();
}

// False when the deadline has passed. May be true without the event, after a signal.
bool TaskLookup::wait_for(short event, Time deadline) {
  const Time now = clock_.now();
  if (now >= deadline) return false;
  zmq::pollitem_t item{socket_->handle(), 0, event, 0};
  wire::poll_items(&item, 1, deadline - now);
  return true;
}

}  // namespace millrace::broker
