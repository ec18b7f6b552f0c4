#include "tests/unit/client/fake_broker.h"

#include <utility>

#include "common/wire/heartbeat_codec.h"

namespace millrace::client {

FinishedTask succeeded(const TaskId& id, const std::string& result) {
  FinishedTask task;
  task.id = id;
  task.attempts = 1;
  task.result = SharedBytes::copy_of(result);
  return task;
}

FinishedTask ended(const TaskId& id, TaskState state, Reason reason, const std::string& error) {
  FinishedTask task;
  task.id = id;
  task.state = state;
  task.reason = reason;
  task.attempts = 3;
  task.error = error;
  return task;
}

FakeBroker::FakeBroker(BrokerScript script, std::shared_ptr<BrokerMemory> memory)
    : script_(std::move(script)), memory_(std::move(memory)) {
  const std::string port = script_.port == 0 ? "*" : std::to_string(script_.port);
  wire::SocketOptions options;
  options.linger = Duration();
  router_.emplace(wire::bind_router(context_, "tcp://127.0.0.1:" + port, options).value());
  publisher_.emplace(wire::bind_publisher(context_, "tcp://127.0.0.1:*", options).value());
  port_ = wire::port_of(*router_);
  pulse_port_ = wire::port_of(*publisher_);
  epoch_ = ++memory_->epoch;
  thread_ = std::thread([this] { run(); });
}

FakeBroker::~FakeBroker() {
  stopping_ = true;
  thread_.join();
}

void FakeBroker::run() {
  wire::Frames frames;
  while (!stopping_) {
    pulse();
    zmq::pollitem_t item{router_->handle(), 0, ZMQ_POLLIN, 0};
    wire::poll_items(&item, 1, Duration::milliseconds(20));
    while (wire::receive_frames(*router_, frames, 5) == wire::ReceiveStatus::received) {
      const std::string routing_id(frames.front().text());
      frames.erase(frames.begin());
      take(routing_id, frames);
    }
  }
}

void FakeBroker::pulse() {
  if (clock_.now() - last_pulse_ < Duration::milliseconds(200)) return;
  last_pulse_ = clock_.now();
  Pulse message;
  message.epoch = Epoch(epoch_);
  message.number = ++pulses_;
  message.time = last_pulse_;
  wire::send_frames(*publisher_, {wire::encode(message)});
}

void FakeBroker::take(const std::string& routing_id, const wire::Frames& frames) {
  const Result<ClientMessage> message = wire::decode_client_message(frames, PeerLimits());
  if (!message) return;
  std::optional<std::vector<ClientReply>> replies;
  if (script_.handle) replies = script_.handle(*message);
  if (!replies.has_value()) replies = answer(*message);
  for (const ClientReply& reply : *replies) {
    wire::send_frames_to(*router_, routing_id, wire::encode(reply));
  }
}

std::vector<ClientReply> FakeBroker::answer(const ClientMessage& message) {
  if (const auto* hello = std::get_if<ClientHello>(&message)) {
    ClientWelcome welcome;
    welcome.request = hello->request;
    welcome.epoch = Epoch(epoch_);
    welcome.endpoints.client_port = port_;
    welcome.endpoints.pulse_port = pulse_port_;
    welcome.broker_version = "test";
    return {welcome};
  }
  if (const auto* submit = std::get_if<Submit>(&message)) return take_submit(*submit);
  if (const auto* watch = std::get_if<Watch>(&message)) return take_watch(*watch);
  if (const auto* ping = std::get_if<Ping>(&message)) return {Pong{ping->request, Epoch(epoch_)}};
  return {};
}

std::vector<ClientReply> FakeBroker::take_submit(const Submit& submit) {
  Submitted submitted;
  submitted.request = submit.request;
  std::vector<TaskId> ids;
  {
    const std::lock_guard lock(memory_->mutex);
    for (const SubmitItem& item : submit.tasks) {
      const auto [known, is_new] = memory_->tasks.try_emplace(item.spec.id);
      if (is_new) known->second.spec = item.spec;
      SubmitAnswer answer;
      if (!is_new) {
        answer.status = known->second.spec.content_hash == item.spec.content_hash
                            ? SubmitStatus::duplicate
                            : SubmitStatus::conflict;
      }
      submitted.items.push_back(answer);
      if (answer.status != SubmitStatus::conflict) ids.push_back(item.spec.id);
    }
  }
  std::vector<ClientReply> replies = {submitted};
  if (submit.watch) end_watched(ids, replies);
  return replies;
}

std::vector<ClientReply> FakeBroker::take_watch(const Watch& watch) {
  Watching watching;
  watching.request = watch.request;
  std::vector<TaskId> known;
  {
    const std::lock_guard lock(memory_->mutex);
    for (const TaskId& id : watch.tasks) {
      (memory_->tasks.count(id) > 0 ? known : watching.unknown).push_back(id);
    }
  }
  std::vector<ClientReply> replies = {watching};
  end_watched(known, replies);
  return replies;
}

void FakeBroker::end_watched(const std::vector<TaskId>& tasks, std::vector<ClientReply>& replies) {
  Finished finished;
  const std::lock_guard lock(memory_->mutex);
  for (const TaskId& id : tasks) {
    const BrokerMemory::Kept& kept = memory_->tasks.at(id);
    std::optional<FinishedTask> end = script_.end ? script_.end(kept.spec) : succeeded(id, "done");
    if (!end.has_value()) continue;
    finished.tasks.push_back(std::move(*end));
  }
  if (!finished.tasks.empty()) replies.push_back(std::move(finished));
}

}  // namespace millrace::client
