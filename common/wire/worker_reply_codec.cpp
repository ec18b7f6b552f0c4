// Broker to worker.
#include <map>

#include "common/wire/shared_messages.h"

namespace millrace::wire {
namespace {

// ---- decoding -----------------------------------------------------------------------------------

LivenessSettings read_liveness(const schema::WorkerWelcome& body, FieldReader& reader) {
  LivenessSettings liveness;
  liveness.beat_interval = FieldReader::duration(body.beat_interval_ns());
  liveness.silence_max = FieldReader::duration(body.silence_max_ns());
  if (liveness.beat_interval < Duration::milliseconds(1)) {
    reader.refuse(ErrorCode::invalid, "beat_interval_ns must be at least a millisecond");
  }
  if (liveness.silence_max <= liveness.beat_interval) {
    reader.refuse(ErrorCode::invalid, "silence_max_ns must be over beat_interval_ns");
  }
  return liveness;
}

WorkerWelcome read(const schema::WorkerWelcome& body, FieldReader& reader) {
  WorkerWelcome welcome;
  welcome.hello_number = body.hello_number();
  welcome.session = SessionNonce(body.session());
  welcome.epoch = Epoch(body.epoch());
  welcome.endpoints = read_endpoints(body.endpoints());
  welcome.limits = read_limits(body.limits());
  welcome.liveness = read_liveness(body, reader);
  welcome.stale = reader.leases(body.stale(), kHoldingMost, "stale");
  welcome.broker_version = reader.optional_name(body.broker_version(), "broker_version");
  return welcome;
}

Dispatch read(const schema::Dispatch& body, FieldReader& reader) {
  Dispatch dispatch;
  reader.check_count(count_of(body.tasks()), reader.limits().batch_items_max, "tasks");
  reader.check_count(count_of(body.queues()), count_of(body.tasks()), "queues");
  reader.check_alignment(body.tasks(), "tasks");
  if (reader.failed() || body.tasks() == nullptr) return dispatch;
  std::vector<std::string> queues;
  for (std::size_t i = 0; i < count_of(body.queues()); ++i) {
    const auto* queue = body.queues()->Get(static_cast<flatbuffers::uoffset_t>(i));
    queues.push_back(reader.queue_name(queue, "queues"));
  }
  dispatch.tasks.reserve(body.tasks()->size());
  for (const schema::DispatchedTask* item : *body.tasks()) {
    if (item->queue_index() >= queues.size()) {
      reader.refuse(ErrorCode::invalid, "queue_index goes beyond queues");
      return dispatch;
    }
    DispatchedTask task;
    task.task = to_id<TaskId>(item->task());
    task.fence = Fence(item->fence());
    task.attempt = item->attempt();
    task.max_attempts = item->max_attempts();
    task.timeout = FieldReader::duration(item->timeout_ns());
    task.queue = queues[item->queue_index()];
    task.spec = reader.part(item->spec_bytes(), "spec_bytes");
    dispatch.tasks.push_back(std::move(task));
  }
  return dispatch;
}

Completed read(const schema::Completed& body, FieldReader& reader) {
  Completed completed;
  reader.check_alignment(body.items(), "items");
  if (reader.failed()) return completed;
  completed.items.reserve(count_of(body.items()));
  for (std::size_t i = 0; i < count_of(body.items()); ++i) {
    const schema::HeldLease& item = *body.items()->Get(static_cast<flatbuffers::uoffset_t>(i));
    completed.items.push_back({to_id<TaskId>(item.task()), Fence(item.fence()), true});
  }
  for (std::size_t i = 0; i < count_of(body.stale()); ++i) {
    const std::uint32_t position = body.stale()->Get(static_cast<flatbuffers::uoffset_t>(i));
    if (position >= completed.items.size()) {
      reader.refuse(ErrorCode::invalid, "stale goes beyond items");
      return completed;
    }
    completed.items[position].accepted = false;
  }
  return completed;
}

StopTasks read(const schema::StopTasks& body, FieldReader& reader) {
  StopTasks stop;
  reader.check_alignment(body.tasks(), "tasks");
  if (reader.failed()) return stop;
  stop.tasks.reserve(count_of(body.tasks()));
  for (std::size_t i = 0; i < count_of(body.tasks()); ++i) {
    const schema::StoppedTask& item = *body.tasks()->Get(static_cast<flatbuffers::uoffset_t>(i));
    stop.tasks.push_back(
        {to_id<TaskId>(item.task()), Fence(item.fence()),
         reader.word(item.cause(), StopCause::cancelled, StopCause::timed_out, "cause")});
  }
  return stop;
}

Recall read(const schema::Recall& body, FieldReader& reader) {
  return {body.recall_number(), reader.leases(body.tasks(), kHoldingMost, "tasks")};
}

template <class Body>
Result<WorkerReply> decode(const ControlFrame& frame, FieldReader& reader) {
  return reader.finish<WorkerReply>(read(*frame.envelope->body_as<Body>(), reader));
}

// ---- encoding -----------------------------------------------------------------------------------

Frames frames_of(const WorkerWelcome& welcome) {
  ControlFrameBuilder frame(512 + 24 * welcome.stale.size());
  auto& builder = frame.builder();
  const auto endpoints = write_endpoints(builder, welcome.endpoints);
  const auto limits = write_limits(builder, welcome.limits);
  const auto stale = write_leases(builder, welcome.stale);
  const auto version = builder.CreateString(welcome.broker_version);
  return frame.finish(schema::CreateWorkerWelcome(
      builder, welcome.hello_number, welcome.session.value, welcome.epoch.value, endpoints, limits,
      welcome.liveness.beat_interval.in_nanoseconds(),
      welcome.liveness.silence_max.in_nanoseconds(), stale, version));
}

Frames frames_of(const Dispatch& dispatch) {
  ControlFrameBuilder frame(256 + 48 * dispatch.tasks.size());
  auto& builder = frame.builder();
  std::map<std::string_view, std::uint32_t> positions;
  std::vector<std::string> queues;
  schema::DispatchedTask* items = nullptr;
  const auto tasks = builder.CreateUninitializedVectorOfStructs(dispatch.tasks.size(), &items);
  for (std::size_t i = 0; i < dispatch.tasks.size(); ++i) {
    const DispatchedTask& task = dispatch.tasks[i];
    const auto [position, fresh] =
        positions.emplace(task.queue, static_cast<std::uint32_t>(queues.size()));
    if (fresh) queues.push_back(task.queue);
    items[i] = schema::DispatchedTask(to_uuid(task.task), task.fence.value,
                                      task.timeout.in_nanoseconds(), frame.bundle().add(task.spec),
                                      position->second, task.attempt, task.max_attempts);
  }
  const auto names = builder.CreateVectorOfStrings(queues);
  return frame.finish(schema::CreateDispatch(builder, tasks, names));
}

Frames frames_of(const Completed& completed) {
  ControlFrameBuilder frame(128 + 24 * completed.items.size());
  auto& builder = frame.builder();
  std::vector<std::uint32_t> stale;
  schema::HeldLease* items = nullptr;
  const auto written = builder.CreateUninitializedVectorOfStructs(completed.items.size(), &items);
  for (std::size_t i = 0; i < completed.items.size(); ++i) {
    const CompletionAnswer& item = completed.items[i];
    items[i] = schema::HeldLease(to_uuid(item.task), item.fence.value);
    if (!item.accepted) stale.push_back(static_cast<std::uint32_t>(i));
  }
  const auto positions = stale.empty() ? flatbuffers::Offset<flatbuffers::Vector<std::uint32_t>>()
                                       : builder.CreateVector(stale);
  return frame.finish(schema::CreateCompleted(builder, written, positions));
}

Frames frames_of(const StopTasks& stop) {
  ControlFrameBuilder frame(128 + 32 * stop.tasks.size());
  schema::StoppedTask* items = nullptr;
  const auto tasks = frame.builder().CreateUninitializedVectorOfStructs(stop.tasks.size(), &items);
  for (std::size_t i = 0; i < stop.tasks.size(); ++i) {
    const StoppedTask& task = stop.tasks[i];
    items[i] = schema::StoppedTask(to_uuid(task.task), task.fence.value,
                                   static_cast<schema::StopCause>(task.cause));
  }
  return frame.finish(schema::CreateStopTasks(frame.builder(), tasks));
}

Frames frames_of(const Recall& recall) {
  ControlFrameBuilder frame(128 + 24 * recall.tasks.size());
  const auto tasks = write_leases(frame.builder(), recall.tasks);
  return frame.finish(schema::CreateRecall(frame.builder(), recall.recall_number, tasks));
}

Frames frames_of(const Drain&) {
  ControlFrameBuilder frame;
  return frame.finish(schema::CreateDrain(frame.builder()));
}

}  // namespace

Result<WorkerReply> decode_worker_reply(const Frames& frames, const PeerLimits& limits) {
  const Result<ControlFrame> opened = open_control_frame(frames, limits, TableBudget::few);
  if (!opened.ok()) return opened.error();
  const ControlFrame& frame = *opened;
  const schema::Envelope& envelope = *frame.envelope;
  FieldReader reader(limits, frame.bundle);
  switch (envelope.body_type()) {
    case schema::Body::WorkerWelcome:
      return decode<schema::WorkerWelcome>(frame, reader);
    case schema::Body::Dispatch:
      return decode<schema::Dispatch>(frame, reader);
    case schema::Body::Completed:
      return decode<schema::Completed>(frame, reader);
    case schema::Body::StopTasks:
      return decode<schema::StopTasks>(frame, reader);
    case schema::Body::Recall:
      return decode<schema::Recall>(frame, reader);
    case schema::Body::Drain:
      return reader.finish<WorkerReply>(Drain{});
    case schema::Body::Refused:
      return reader.finish<WorkerReply>(
          read_refused(*envelope.body_as_Refused(), RequestId(envelope.request()), reader));
    case schema::Body::BrokerGoodbye:
      return reader.finish<WorkerReply>(read_goodbye(*envelope.body_as_BrokerGoodbye(), reader));
    default:
      return unsupported_body(frame);
  }
}

Frames encode(const WorkerReply& reply) {
  return std::visit([](const auto& body) { return frames_of(body); }, reply);
}

}  // namespace millrace::wire
