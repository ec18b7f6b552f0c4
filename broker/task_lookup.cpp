#include "broker/task_lookup.h"

#include <utility>

#include "common/host/clock.h"
#include "common/wire/socket.h"

namespace millrace::broker {
namespace {

Error unavailable() {
  return {ErrorCode::unavailable, "the broker did not answer in time; try again"};
}

}  // namespace

TaskLookup::TaskLookup(zmq::context_t& context, std::string address, Duration timeout)
    : context_(context), address_(std::move(address)), timeout_(timeout) {}

Result<TaskList> TaskLookup::get(const GetTasks& request) {
  const std::lock_guard lock(mutex_);
  GetTasks asked = request;
  asked.request = last_request_ = last_request_.next();
  return ask(std::move(asked), last_request_);
}

Result<TaskList> TaskLookup::list(const ListTasks& request) {
  const std::lock_guard lock(mutex_);
  ListTasks asked = request;
  asked.request = last_request_ = last_request_.next();
  return ask(std::move(asked), last_request_);
}

Status TaskLookup::connect() {
  if (socket_.has_value()) return Done{};
  Result<zmq::socket_t> connected = wire::connect_dealer(context_, address_, {});
  if (!connected.ok()) return connected.error();
  socket_.emplace(std::move(*connected));
  return Done{};
}

Result<TaskList> TaskLookup::ask(ClientMessage message, RequestId request) {
  const Status connected = connect();
  if (!connected.ok()) return connected.error();
  if (wire::send_frames(*socket_, wire::encode(message)) != wire::SendStatus::sent) {
    return unavailable();
  }
  return await(request);
}

// Late answers to earlier requests are passed over.
Result<TaskList> TaskLookup::await(RequestId request) {
  const host::Clock clock;
  const Time deadline = clock.now() + timeout_;
  wire::Frames frames;
  while (true) {
    while (wire::receive_frames(*socket_, frames) != wire::ReceiveStatus::nothing) {
      Result<ClientReply> reply = wire::decode_client_reply(frames, PeerLimits());
      if (!reply.ok()) continue;
      if (auto* list = std::get_if<TaskList>(&*reply);
          list != nullptr && list->request == request) {
        return std::move(*list);
      }
      const auto* refused = std::get_if<Refused>(&*reply);
      if (refused != nullptr && refused->request == request) {
        return Error{refused->code, refused->message};
      }
    }
    const Time now = clock.now();
    if (now >= deadline) return unavailable();
    zmq::pollitem_t item{socket_->handle(), 0, ZMQ_POLLIN, 0};
    wire::poll_items(&item, 1, deadline - now);
  }
}

}  // namespace millrace::broker
