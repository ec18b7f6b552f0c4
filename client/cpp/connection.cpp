#include "client/cpp/connection.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/host/signals_blocked.h"
#include "common/wire/control_codec.h"
#include "common/wire/heartbeat_codec.h"

namespace millrace::client {
namespace {

// Messages taken in one turn, so that commands and deadlines get theirs.
constexpr int kReceiveMax = 256;
constexpr Duration kWaitMax = Duration::seconds(1);

}  // namespace

Connection::Connection(host::HostPort broker, std::shared_ptr<const keys::PeerKey> key,
                       const SessionSettings& settings)
    : sockets_(std::move(broker), std::move(key)), session_(settings) {
  link_.since = clock_.now();
}

Connection::~Connection() {
  stopping_ = true;
  wake_.raise();
  if (thread_.joinable()) thread_.join();
}

Status Connection::open() {
  if (!wake_.ok()) {
    return Error{ErrorCode::io, "no file descriptor is left for the connection; raise ulimit -n"};
  }
  const Status connected = sockets_.connect();
  if (!connected) return connected;
  const host::SignalsBlocked blocked;
  thread_ = std::thread([this] { run(); });
  return Done();
}

void Connection::post(Command command) {
  {
    const std::lock_guard lock(commands_mutex_);
    commands_.push_back(std::move(command));
  }
  wake_.raise();
}

void Connection::submit(std::vector<Submission> submissions, bool watch, EventSinkPointer inbox) {
  post([this, tasks = std::move(submissions), watch, inbox = std::move(inbox)](
           Time now, Actions& actions) mutable {
    for (const Submission& task : tasks) {
      routes_.add_group(task.group, inbox);
      if (watch) routes_.add_awaited(task.spec.id, inbox);
    }
    session_.submit(std::move(tasks), watch, now, actions);
  });
}

void Connection::watch(std::vector<TaskId> tasks, EventSinkPointer inbox) {
  post([this, ids = std::move(tasks), inbox = std::move(inbox)](Time now, Actions& actions) {
    for (const TaskId& id : ids) routes_.add_awaited(id, inbox);
    session_.watch(ids, now, actions);
  });
}

void Connection::request(ClientMessage message, Time give_up, EventSinkPointer inbox) {
  post([this, message = std::move(message), give_up, inbox = std::move(inbox)](
           Time now, Actions& actions) mutable {
    routes_.add_request(session_.request(std::move(message), give_up, now, actions), inbox);
  });
}

void Connection::end_call(EventSinkPointer inbox) {
  post([this, inbox = std::move(inbox)](Time, Actions&) {
    const CallRoutes::Open open = routes_.remove(inbox);
    for (const SubmitGroup group : open.groups) session_.abandon(group);
    for (const RequestId request : open.requests) session_.abandon(request);
    session_.unwatch(open.awaited);
  });
}

Connection::LinkState Connection::link() const {
  const std::lock_guard lock(link_mutex_);
  return link_;
}

Connection::LinkState Connection::wait_for_link(Duration wait) const {
  std::unique_lock lock(link_mutex_);
  link_changed_.wait_for(lock, std::chrono::nanoseconds(wait.in_nanoseconds()),
                         [this] { return link_.connected || link_.hello_refusal.has_value(); });
  return link_;
}

// ---- the thread ---------------------------------------------------------------------------------

void Connection::run() {
  Actions actions;
  session_.start(clock_.now(), actions);
  perform(actions);
  while (!stopping_) {
    const Duration until_due = session_.next_deadline() - clock_.now();
    sockets_.wait(wake_.descriptor(), std::clamp(until_due, Duration(), kWaitMax));
    wake_.clear();
    run_commands(actions);
    receive(actions);
    session_.tick(clock_.now(), actions);
    perform(actions);
  }
  session_.stop(actions);
  perform(actions);
  run_commands(actions);  // their inboxes are closed with the rest
  routes_.close_all();
}

void Connection::run_commands(Actions& actions) {
  std::vector<Command> commands;
  {
    const std::lock_guard lock(commands_mutex_);
    commands.swap(commands_);
  }
  for (Command& command : commands) {
    command(clock_.now(), actions);
    perform(actions);
  }
}

void Connection::receive(Actions& actions) {
  while (const std::optional<SharedBytes> frame = sockets_.receive_pulse()) {
    const Result<Pulse> pulse = wire::decode_pulse(*frame);
    if (pulse) session_.hear_pulse(*pulse, clock_.now(), actions);
  }
  perform(actions);
  for (int i = 0; i < kReceiveMax; ++i) {
    const std::optional<wire::Frames> frames = sockets_.receive_reply();
    if (!frames.has_value()) return;
    Result<ClientReply> reply = wire::decode_client_reply(*frames, session_.limits());
    if (!reply) continue;
    session_.receive(std::move(*reply), clock_.now(), actions);
    perform(actions);
  }
}

void Connection::perform(Actions& actions) {
  if (actions.reconnect) {
    // A failure here is an outage like any other: the session tries again.
    [[maybe_unused]] const Status connected = sockets_.connect();
  }
  for (const ClientMessage& message : actions.sends) sockets_.send(wire::encode(message));
  for (SessionEvent& event : actions.events) tell(std::move(event));
  routes_.flush();
  actions.clear();
}

void Connection::tell(SessionEvent event) {
  if (const auto* connected = std::get_if<Connected>(&event)) {
    sockets_.listen(connected->welcome.endpoints.pulse_port);
  }
  if (!note_link(event)) routes_.deliver(std::move(event));
}

// True when the event is about the link and not about a call.
bool Connection::note_link(const SessionEvent& event) {
  if (std::holds_alternative<FinishedTask>(event) || std::holds_alternative<SubmitResult>(event)) {
    return false;  // the many
  }
  const std::lock_guard lock(link_mutex_);
  if (const auto* connected = std::get_if<Connected>(&event)) {
    link_.connected = true;
    link_.since = clock_.now();
    link_.hello_refusal.reset();
    link_.welcome = connected->welcome;
  } else if (std::holds_alternative<Disconnected>(event)) {
    link_.connected = false;
    link_.since = clock_.now();
  } else if (const auto* refused = std::get_if<HelloRefused>(&event)) {
    link_.hello_refusal = refused->refused;
  } else {
    const auto* reply = std::get_if<Reply>(&event);
    if (reply == nullptr || !reply->request.is_none()) return false;
    link_.complaint = std::get<Refused>(reply->reply).message;
  }
  link_changed_.notify_all();
  return true;
}

}  // namespace millrace::client
