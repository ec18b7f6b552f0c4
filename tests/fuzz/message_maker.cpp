#include "tests/fuzz/message_maker.h"

#include <algorithm>
#include <utility>

#include "common/wire/control_codec.h"
#include "tests/fuzz/property.h"

namespace millrace::fuzz {
namespace {

template <class IdType>
IdType id_below(Input& input, std::size_t bound) {
  IdType id;
  id.bytes[0] = static_cast<std::uint8_t>(1 + input.below(bound));
  return id;
}

template <class Item, class Make>
std::vector<Item> any_list(Input& input, Make make) {
  std::vector<Item> items;
  for (std::size_t left = input.below(6); left > 0; --left) items.push_back(make());
  return items;
}

std::vector<TaskId> any_task_ids(Input& input) {
  return any_list<TaskId>(input, [&] { return any_task_id(input); });
}

HeldLease any_lease(Input& input) {
  const TaskId task = any_task_id(input);
  return {task, Fence(input.number())};
}

std::vector<HeldLease> any_leases(Input& input) {
  return any_list<HeldLease>(input, [&] { return any_lease(input); });
}

std::string any_queue(Input& input) {
  static constexpr std::array<const char*, 4> kQueues = {"mail", "video", "a/b:c.d_e-f", "Q"};
  return kQueues[input.below(kQueues.size())];
}

std::string any_queue_or_none(Input& input) {
  return input.truth() ? any_queue(input) : std::string();
}

template <class Enum>
Enum any_word(Input& input, Enum first, Enum last) {
  const auto least = static_cast<std::size_t>(first);
  return static_cast<Enum>(least + input.below(static_cast<std::size_t>(last) - least + 1));
}

RequestId any_request(Input& input) {
  return RequestId(std::max<std::uint64_t>(1, input.number()));
}

SubmitItem any_item(Input& input) {
  SubmitItem item;
  if (std::optional<TaskSpec> spec = any_task(input)) {
    item.spec = std::move(*spec);
  } else {
    item.spec.bytes = SharedBytes::copy_of(std::string_view("no task"));
  }
  return item;
}

WorkerHello any_worker_hello(Input& input) {
  WorkerHello hello;
  hello.hello_number = input.number();
  hello.worker = any_worker_id(input);
  hello.name = "w" + std::to_string(hello.worker.bytes[0]);
  hello.queues = any_list<std::string>(input, [&] { return any_queue(input); });
  hello.slots = input.small<std::uint32_t>();
  hello.credit = input.small<std::uint32_t>();
  hello.protocol_version = input.small<std::uint16_t>();
  hello.holding = any_leases(input);
  return hello;
}

Completion any_completion(Input& input) {
  Completion completion;
  completion.task = any_task_id(input);
  completion.fence = Fence(input.number());
  completion.outcome = any_word(input, Outcome::succeeded, Outcome::released);
  if (input.truth()) completion.result = SharedBytes::copy_of(input.text());
  if (input.truth()) completion.error = input.text();
  completion.elapsed = input.duration();
  return completion;
}

Extension any_extension(Input& input) {
  Extension extension;
  extension.task = any_task_id(input);
  extension.fence = Fence(input.number());
  extension.by = input.duration();
  extension.progress_percent = input.byte();
  return extension;
}

PeerLimits any_limits(Input& input) {
  PeerLimits limits;
  if (!input.truth()) return limits;
  limits.frame_bytes_max = ByteCount(input.number());
  limits.payload_bytes_max = ByteCount(input.number());
  limits.result_bytes_max = ByteCount(input.number());
  limits.error_bytes_max = ByteCount(input.number());
  limits.batch_items_max = input.small<std::uint32_t>();
  limits.credit_max = input.small<std::uint32_t>();
  return limits;
}

Refused any_refusal(Input& input, RequestId request) {
  Refused refused;
  refused.request = request;
  refused.code = any_word(input, ErrorCode::invalid, ErrorCode::forbidden);
  refused.message = input.text();
  refused.retry_after = input.duration();
  return refused;
}

FinishedTask any_end(Input& input) {
  FinishedTask task;
  task.id = any_task_id(input);
  task.state = any_word(input, TaskState::succeeded, TaskState::expired);
  task.attempts = input.small<std::uint16_t>();
  task.error = input.text();
  return task;
}

TaskView any_view(Input& input) {
  TaskView view;
  view.id = any_task_id(input);
  view.sequence = TaskSequence(input.number());
  view.queue = any_queue(input);
  view.state = any_word(input, TaskState::delayed, TaskState::expired);
  view.error = input.text();
  return view;
}

DispatchedTask any_dispatch(Input& input) {
  DispatchedTask task;
  task.task = any_task_id(input);
  task.fence = Fence(input.number());
  task.attempt = input.small<std::uint16_t>();
  task.timeout = input.duration();
  task.queue = any_queue(input);
  return task;
}

ClientMessage client_message(Input& input) {
  const std::size_t kind = input.below(std::variant_size_v<ClientMessage>);
  const RequestId request = any_request(input);
  switch (kind) {
    case 0: {
      const ClientId client = any_client_id(input);
      return ClientHello{request, client, input.small<std::uint16_t>()};
    }
    case 1: {
      const bool watch = input.truth();
      return Submit{request, watch, any_list<SubmitItem>(input, [&] { return any_item(input); })};
    }
    case 2:
      return Watch{request, any_task_ids(input)};
    case 3:
      return Cancel{request, any_task_ids(input)};
    case 4: {
      const std::uint8_t details = input.byte();
      return GetTasks{request, any_task_ids(input), (details & 1) != 0, (details & 2) != 0,
                      (details & 4) != 0};
    }
    case 5: {
      ListTasks list;
      list.request = request;
      list.filter.queue = any_queue_or_none(input);
      list.filter.state = any_word(input, TaskState{0}, TaskState::expired);
      list.cursor = input.number();
      list.limit = input.small<std::uint32_t>();
      list.with_attempts = input.truth();
      return list;
    }
    case 6: {
      const std::string queue = any_queue_or_none(input);
      return RequeueDead{request, any_task_ids(input), queue};
    }
    case 7: {
      const std::string queue = any_queue_or_none(input);
      return PurgeDead{request, any_task_ids(input), queue};
    }
    case 8: {
      const std::string queue = any_queue(input);
      return ControlQueue{request, queue, any_word(input, QueueAction::pause, QueueAction::purge)};
    }
    case 9:
      return DrainWorker{request, "w" + std::to_string(input.below(6))};
    case 10:
      return GetStatus{request, any_word(input, StatusTopic::metrics, StatusTopic::queues)};
    case 11:
      return Ping{request};
    case 12:
      return Explain{request, any_task_id(input)};
    case 13: {
      ChangeTasks change;
      change.request = request;
      change.action = any_word(input, TaskAction::cancel, TaskAction::forget);
      change.filter.queue = any_queue_or_none(input);
      change.filter.state = any_word(input, TaskState{0}, TaskState::expired);
      change.filter.reason = any_word(input, Reason::none, Reason::expired);
      change.filter.priority_least = static_cast<std::uint8_t>(input.below(kPriorities));
      change.filter.accepted_before = Time::since_epoch(input.duration());
      change.cursor = input.number();
      change.limit = input.small<std::uint32_t>();
      return change;
    }
    default:
      return ClientGoodbye{};
  }
}

WorkerMessage worker_message(Input& input) {
  switch (input.below(std::variant_size_v<WorkerMessage>)) {
    case 0:
      return any_worker_hello(input);
    case 1: {
      Complete complete;
      complete.items = any_list<Completion>(input, [&] { return any_completion(input); });
      complete.credit = input.small<std::uint32_t>();
      complete.answers_recall = input.number();
      return complete;
    }
    case 2:
      return Extend{any_list<Extension>(input, [&] { return any_extension(input); })};
    default:
      return WorkerGoodbye{input.text()};
  }
}

ClientReply client_reply(Input& input) {
  const std::size_t kind = input.below(std::variant_size_v<ClientReply>);
  const RequestId request(input.number());
  switch (kind) {
    case 0: {
      const Epoch epoch(input.number());
      return ClientWelcome{request, epoch, {}, any_limits(input), Duration::seconds(1), ""};
    }
    case 1: {
      Submitted submitted;
      submitted.request = request;
      submitted.retry_after = input.duration();
      submitted.items = any_list<SubmitAnswer>(input, [&] {
        return SubmitAnswer{any_word(input, SubmitStatus::accepted, SubmitStatus::shutting_down),
                            ""};
      });
      return submitted;
    }
    case 2:
      return Watching{request, any_task_ids(input)};
    case 3:
      return Finished{any_list<FinishedTask>(input, [&] { return any_end(input); })};
    case 4:
      return Cancelled{request, any_list<CancelAnswer>(input, [&] {
                         return CancelAnswer{
                             any_word(input, CancelStatus::cancelled, CancelStatus::not_found),
                             TaskState::cancelled};
                       })};
    case 5: {
      TaskList list;
      list.request = request;
      list.tasks = any_list<TaskView>(input, [&] { return any_view(input); });
      list.unknown = any_task_ids(input);
      list.next_cursor = input.number();
      return list;
    }
    case 6:
      return Changed{request, input.number()};
    case 7:
      return StatusReport{request, input.text()};
    case 8:
      return Pong{request, Epoch(input.number())};
    case 9:
      return any_refusal(input, request);
    case 10: {
      Explained explained;
      explained.request = request;
      explained.task = any_view(input);
      explained.text = input.text();
      explained.ahead = input.number();
      return explained;
    }
    case 11:
      return TasksChanged{request, input.number(), input.number()};
    default:
      return BrokerGoodbye{input.text()};
  }
}

WorkerReply worker_reply(Input& input) {
  switch (input.below(std::variant_size_v<WorkerReply>)) {
    case 0: {
      WorkerWelcome welcome;
      welcome.hello_number = input.number();
      welcome.session = SessionNonce(input.number());
      welcome.epoch = Epoch(input.number());
      welcome.limits = any_limits(input);
      if (input.truth()) welcome.liveness = {input.duration(), input.duration()};
      welcome.stale = any_leases(input);
      return welcome;
    }
    case 1:
      return Dispatch{any_list<DispatchedTask>(input, [&] { return any_dispatch(input); })};
    case 2:
      return Completed{any_list<CompletionAnswer>(input, [&] {
        const HeldLease lease = any_lease(input);
        return CompletionAnswer{lease.task, lease.fence, input.truth()};
      })};
    case 3:
      return StopTasks{any_list<StoppedTask>(input, [&] {
        const HeldLease lease = any_lease(input);
        return StoppedTask{lease.task, lease.fence,
                           any_word(input, StopCause::cancelled, StopCause::timed_out)};
      })};
    case 4: {
      const std::uint64_t number = input.number();
      return Recall{number, any_leases(input)};
    }
    case 5:
      return Drain{};
    case 6:
      return any_refusal(input, RequestId());
    default:
      return BrokerGoodbye{input.text()};
  }
}

template <class Message, class Decode>
std::optional<Message> sent(const Message& message, Decode decode) {
  Result<Message> decoded = decode(wire::encode(message), PeerLimits());
  if (!decoded.ok()) return std::nullopt;
  return *std::move(decoded);
}

template <class Message, class Decode>
Message must_be_received(const Message& message, Decode decode) {
  Result<Message> decoded = decode(wire::encode(message), PeerLimits());
  require(decoded.ok(), "a peer takes what is sent to it",
          decoded.ok() ? "" : decoded.error().message);
  return *std::move(decoded);
}

}  // namespace

TaskId any_task_id(Input& input) {
  return id_below<TaskId>(input, 10);
}

WorkerId any_worker_id(Input& input) {
  return id_below<WorkerId>(input, 4);
}

ClientId any_client_id(Input& input) {
  return id_below<ClientId>(input, 4);
}

std::optional<TaskSpec> any_task(Input& input) {
  wire::TaskDescription task;
  task.id = any_task_id(input);
  task.queue = any_queue(input);
  task.payload = SharedBytes::copy_of(input.text());
  task.priority = input.byte() % 12;
  task.max_attempts = input.small<std::uint16_t>();
  task.delay = input.duration();
  if (input.truth()) task.not_before = Time::since_epoch(input.duration());
  task.ttl = input.duration();
  task.timeout = input.duration();
  task.retention = input.duration();
  task.backoff = {input.duration(), input.duration()};
  if (!wire::check_task(task, PeerLimits()).ok()) return std::nullopt;
  return wire::encode_task(task);
}

std::optional<ClientMessage> any_client_message(Input& input) {
  return sent(client_message(input), wire::decode_client_message);
}

std::optional<WorkerMessage> any_worker_message(Input& input) {
  return sent(worker_message(input), wire::decode_worker_message);
}

std::optional<ClientReply> any_client_reply(Input& input) {
  return sent(client_reply(input), wire::decode_client_reply);
}

std::optional<WorkerReply> any_worker_reply(Input& input) {
  return sent(worker_reply(input), wire::decode_worker_reply);
}

ClientMessage received(const ClientMessage& message) {
  return must_be_received(message, wire::decode_client_message);
}

WorkerMessage received(const WorkerMessage& message) {
  return must_be_received(message, wire::decode_worker_message);
}

ClientReply received(const ClientReply& reply) {
  return must_be_received(reply, wire::decode_client_reply);
}

WorkerReply received(const WorkerReply& reply) {
  return must_be_received(reply, wire::decode_worker_reply);
}

}  // namespace millrace::fuzz
