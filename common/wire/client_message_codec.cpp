// Client to broker.
#include "common/wire/shared_messages.h"
#include "common/wire/task_codec.h"

namespace millrace::wire {
namespace {

// GetTasks and ListTasks with details, and any page of ListTasks.
constexpr std::uint32_t kDetailedTasksMost = 1'000;
constexpr std::uint32_t kPageDefault = 100;

// ---- decoding -----------------------------------------------------------------------------------

ClientHello read(const schema::ClientHello& body, RequestId request, FieldReader& reader) {
  ClientHello hello;
  hello.request = request;
  hello.client = reader.id<ClientId>(body.client(), "client");
  hello.protocol_version = body.protocol_version();
  return hello;
}

Submit read(const schema::Submit& body, RequestId request, FieldReader& reader) {
  Submit submit;
  submit.request = request;
  submit.watch = body.watch();
  reader.check_count(count_of(body.spec_bytes()), reader.limits().batch_items_max, "tasks");
  if (reader.failed() || body.spec_bytes() == nullptr) return submit;
  submit.tasks.reserve(body.spec_bytes()->size());
  for (const std::uint32_t length : *body.spec_bytes()) {
    const SharedBytes bytes = reader.part(length, "spec_bytes");
    if (reader.failed()) return submit;
    SubmitItem item;
    Result<TaskSpec> spec = decode_task_spec(bytes, reader.limits());
    if (spec.ok()) {
      item.spec = std::move(*spec);
    } else {
      item.problem = spec.error();
    }
    submit.tasks.push_back(std::move(item));
  }
  return submit;
}

Watch read(const schema::Watch& body, RequestId request, FieldReader& reader) {
  return {request, reader.ids(body.tasks(), reader.limits().batch_items_max, "tasks")};
}

Cancel read(const schema::Cancel& body, RequestId request, FieldReader& reader) {
  return {request, reader.ids(body.tasks(), reader.limits().batch_items_max, "tasks")};
}

GetTasks read(const schema::GetTasks& body, RequestId request, FieldReader& reader) {
  const bool detailed = body.with_payload() || body.with_result() || body.with_attempts();
  std::uint32_t most = reader.limits().batch_items_max;
  if (detailed) most = std::min(most, kDetailedTasksMost);
  GetTasks get;
  get.request = request;
  get.tasks = reader.ids(body.tasks(), most, "tasks");
  get.with_payload = body.with_payload();
  get.with_result = body.with_result();
  get.with_attempts = body.with_attempts();
  return get;
}

ListTasks read(const schema::ListTasks& body, RequestId request, FieldReader& reader) {
  ListTasks list;
  list.request = request;
  list.filter.queue = reader.optional_queue_name(body.queue(), "queue");
  list.filter.state = reader.word(body.state(), TaskState{0}, TaskState::expired, "state");
  list.cursor = body.cursor();
  list.limit = body.limit() == 0 ? kPageDefault : std::min(body.limit(), kDetailedTasksMost);
  list.with_attempts = body.with_attempts();
  return list;
}

RequeueDead read(const schema::RequeueDead& body, RequestId request, FieldReader& reader) {
  return {request, reader.ids(body.tasks(), reader.limits().batch_items_max, "tasks"),
          reader.optional_queue_name(body.queue(), "queue")};
}

PurgeDead read(const schema::PurgeDead& body, RequestId request, FieldReader& reader) {
  return {request, reader.ids(body.tasks(), reader.limits().batch_items_max, "tasks"),
          reader.optional_queue_name(body.queue(), "queue")};
}

ControlQueue read(const schema::ControlQueue& body, RequestId request, FieldReader& reader) {
  return {request, reader.queue_name(body.queue(), "queue"),
          reader.word(body.action(), QueueAction::pause, QueueAction::purge, "action")};
}

DrainWorker read(const schema::DrainWorker& body, RequestId request, FieldReader& reader) {
  return {request, reader.name(body.worker(), "worker")};
}

GetStatus read(const schema::GetStatus& body, RequestId request, FieldReader& reader) {
  return {request, reader.word(body.topic(), StatusTopic::metrics, StatusTopic::queues, "topic")};
}

Ping read(const schema::Ping&, RequestId request, FieldReader&) {
  return {request};
}

Explain read(const schema::Explain& body, RequestId request, FieldReader& reader) {
  return {request, reader.id<TaskId>(body.task(), "task")};
}

ChangeTasks read(const schema::ChangeTasks& body, RequestId request, FieldReader& reader) {
  ChangeTasks change;
  change.request = request;
  change.action = reader.word(body.action(), TaskAction::cancel, TaskAction::forget, "action");
  change.filter.queue = reader.optional_queue_name(body.queue(), "queue");
  change.filter.state = reader.word(body.state(), TaskState{0}, TaskState::expired, "state");
  change.filter.reason = reader.word(body.reason(), Reason::none, Reason::expired, "reason");
  constexpr std::uint8_t kLowest = 0;
  change.filter.priority_least =
      reader.number(body.priority_least(), kLowest, kPriorityHighest, "priority_least");
  change.filter.priority_most = reader.number(body.priority_most(), change.filter.priority_least,
                                              kPriorityHighest, "priority_most");
  change.filter.accepted_after = FieldReader::time(body.accepted_after_ns());
  change.filter.accepted_before = FieldReader::time(body.accepted_before_ns());
  change.cursor = body.cursor();
  change.limit = body.limit();
  return change;
}

template <class Body>
Result<ClientMessage> decode(const ControlFrame& frame, FieldReader& reader) {
  const RequestId request = reader.request(frame.envelope->request());
  return reader.finish<ClientMessage>(read(*frame.envelope->body_as<Body>(), request, reader));
}

// ---- encoding -----------------------------------------------------------------------------------

Frames frames_of(const ClientHello& hello) {
  ControlFrameBuilder frame;
  const schema::Uuid client = to_uuid(hello.client);
  return frame.finish(schema::CreateClientHello(frame.builder(), &client, hello.protocol_version),
                      hello.request);
}

Frames frames_of(const Submit& submit) {
  ControlFrameBuilder frame(128 + 4 * submit.tasks.size());
  std::uint32_t* lengths = nullptr;
  const auto spec_bytes =
      frame.builder().CreateUninitializedVector<std::uint32_t>(submit.tasks.size(), &lengths);
  for (std::size_t i = 0; i < submit.tasks.size(); ++i) {
    flatbuffers::WriteScalar(&lengths[i], frame.bundle().add(submit.tasks[i].spec.bytes));
  }
  return frame.finish(schema::CreateSubmit(frame.builder(), spec_bytes, submit.watch),
                      submit.request);
}

Frames frames_of(const Watch& watch) {
  ControlFrameBuilder frame(128 + 16 * watch.tasks.size());
  const auto tasks = write_ids(frame.builder(), watch.tasks);
  return frame.finish(schema::CreateWatch(frame.builder(), tasks), watch.request);
}

Frames frames_of(const Cancel& cancel) {
  ControlFrameBuilder frame(128 + 16 * cancel.tasks.size());
  const auto tasks = write_ids(frame.builder(), cancel.tasks);
  return frame.finish(schema::CreateCancel(frame.builder(), tasks), cancel.request);
}

Frames frames_of(const GetTasks& get) {
  ControlFrameBuilder frame(128 + 16 * get.tasks.size());
  const auto tasks = write_ids(frame.builder(), get.tasks);
  return frame.finish(schema::CreateGetTasks(frame.builder(), tasks, get.with_payload,
                                             get.with_result, get.with_attempts),
                      get.request);
}

Frames frames_of(const ListTasks& list) {
  ControlFrameBuilder frame;
  const auto queue = frame.builder().CreateString(list.filter.queue);
  return frame.finish(schema::CreateListTasks(frame.builder(), queue,
                                              static_cast<schema::TaskState>(list.filter.state),
                                              list.cursor, list.limit, list.with_attempts),
                      list.request);
}

Frames frames_of(const RequeueDead& requeue) {
  ControlFrameBuilder frame(256 + 16 * requeue.tasks.size());
  const auto tasks = write_ids(frame.builder(), requeue.tasks);
  const auto queue = frame.builder().CreateString(requeue.queue);
  return frame.finish(schema::CreateRequeueDead(frame.builder(), tasks, queue), requeue.request);
}

Frames frames_of(const PurgeDead& purge) {
  ControlFrameBuilder frame(256 + 16 * purge.tasks.size());
  const auto tasks = write_ids(frame.builder(), purge.tasks);
  const auto queue = frame.builder().CreateString(purge.queue);
  return frame.finish(schema::CreatePurgeDead(frame.builder(), tasks, queue), purge.request);
}

Frames frames_of(const ControlQueue& control) {
  ControlFrameBuilder frame;
  const auto queue = frame.builder().CreateString(control.queue);
  return frame.finish(schema::CreateControlQueue(frame.builder(), queue,
                                                 static_cast<schema::QueueAction>(control.action)),
                      control.request);
}

Frames frames_of(const DrainWorker& drain) {
  ControlFrameBuilder frame;
  const auto worker = frame.builder().CreateString(drain.worker);
  return frame.finish(schema::CreateDrainWorker(frame.builder(), worker), drain.request);
}

Frames frames_of(const GetStatus& get) {
  ControlFrameBuilder frame;
  return frame.finish(
      schema::CreateGetStatus(frame.builder(), static_cast<schema::StatusTopic>(get.topic)),
      get.request);
}

Frames frames_of(const Ping& ping) {
  ControlFrameBuilder frame;
  return frame.finish(schema::CreatePing(frame.builder()), ping.request);
}

Frames frames_of(const Explain& explain) {
  ControlFrameBuilder frame;
  const schema::Uuid task = to_uuid(explain.task);
  return frame.finish(schema::CreateExplain(frame.builder(), &task), explain.request);
}

Frames frames_of(const ChangeTasks& change) {
  ControlFrameBuilder frame;
  const TaskFilter& filter = change.filter;
  const auto queue = frame.builder().CreateString(filter.queue);
  return frame.finish(
      schema::CreateChangeTasks(
          frame.builder(), static_cast<schema::TaskAction>(change.action), queue,
          static_cast<schema::TaskState>(filter.state), static_cast<schema::Reason>(filter.reason),
          filter.priority_least, filter.priority_most,
          filter.accepted_after.since_epoch().in_nanoseconds(),
          filter.accepted_before.since_epoch().in_nanoseconds(), change.cursor, change.limit),
      change.request);
}

Frames frames_of(const ClientGoodbye&) {
  ControlFrameBuilder frame;
  return frame.finish(schema::CreateClientGoodbye(frame.builder()));
}

}  // namespace

Result<ClientMessage> decode_client_message(const Frames& frames, const PeerLimits& limits) {
  const Result<ControlFrame> opened = open_control_frame(frames, limits, TableBudget::few);
  if (!opened.ok()) return opened.error();
  const ControlFrame& frame = *opened;
  FieldReader reader(limits, frame.bundle);
  switch (frame.envelope->body_type()) {
    case schema::Body::ClientHello:
      return decode<schema::ClientHello>(frame, reader);
    case schema::Body::Submit:
      return decode<schema::Submit>(frame, reader);
    case schema::Body::Watch:
      return decode<schema::Watch>(frame, reader);
    case schema::Body::Cancel:
      return decode<schema::Cancel>(frame, reader);
    case schema::Body::GetTasks:
      return decode<schema::GetTasks>(frame, reader);
    case schema::Body::ListTasks:
      return decode<schema::ListTasks>(frame, reader);
    case schema::Body::RequeueDead:
      return decode<schema::RequeueDead>(frame, reader);
    case schema::Body::PurgeDead:
      return decode<schema::PurgeDead>(frame, reader);
    case schema::Body::ControlQueue:
      return decode<schema::ControlQueue>(frame, reader);
    case schema::Body::DrainWorker:
      return decode<schema::DrainWorker>(frame, reader);
    case schema::Body::GetStatus:
      return decode<schema::GetStatus>(frame, reader);
    case schema::Body::Ping:
      return decode<schema::Ping>(frame, reader);
    case schema::Body::ClientGoodbye:
      return reader.finish<ClientMessage>(ClientGoodbye{});
    case schema::Body::Explain:
      return decode<schema::Explain>(frame, reader);
    case schema::Body::ChangeTasks:
      return decode<schema::ChangeTasks>(frame, reader);
    default:
      return unsupported_body(frame);
  }
}

Frames encode(const ClientMessage& message) {
  return std::visit([](const auto& body) { return frames_of(body); }, message);
}

RequestId request_of(const Frames& frames) {
  if (frames.empty()) return {};
  const SharedBytes control = aligned(frames[0]);
  const schema::Envelope* envelope = verified_envelope(control, TableBudget::few);
  return envelope == nullptr ? RequestId() : RequestId(envelope->request());
}

}  // namespace millrace::wire
