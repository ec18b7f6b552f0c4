// Broker to client, but for what has whole tasks (task_list_codec.cpp).
#include "common/wire/shared_messages.h"
#include "common/wire/task_list_codec.h"
#include "common/wire/utf8.h"

namespace millrace::wire {
namespace {

// ---- decoding -----------------------------------------------------------------------------------

ClientWelcome read(const schema::ClientWelcome& body, RequestId request, FieldReader& reader) {
  ClientWelcome welcome;
  welcome.request = request;
  welcome.epoch = Epoch(body.epoch());
  welcome.endpoints = read_endpoints(body.endpoints());
  welcome.limits = read_limits(body.limits());
  welcome.beat_interval = FieldReader::duration(body.beat_interval_ns());
  welcome.broker_version = reader.optional_name(body.broker_version(), "broker_version");
  return welcome;
}

Submitted read(const schema::Submitted& body, RequestId request, FieldReader& reader) {
  Submitted submitted;
  submitted.request = request;
  submitted.retry_after = FieldReader::duration(body.retry_after_ns());
  const std::size_t count = count_of(body.statuses());
  reader.check_count(count, reader.limits().batch_items_max, "statuses");
  if (count_of(body.messages()) != 0 && count_of(body.messages()) != count) {
    reader.refuse(ErrorCode::invalid, "messages must be empty or one an item");
  }
  if (reader.failed()) return submitted;
  submitted.items.reserve(count);
  for (flatbuffers::uoffset_t i = 0; i < count; ++i) {
    SubmitAnswer answer;
    answer.status = reader.word(body.statuses()->Get(i), SubmitStatus::accepted,
                                SubmitStatus::shutting_down, "statuses");
    if (count_of(body.messages()) != 0) answer.message = reader.message(body.messages()->Get(i));
    submitted.items.push_back(std::move(answer));
  }
  return submitted;
}

Watching read(const schema::Watching& body, RequestId request, FieldReader& reader) {
  return {request, reader.ids(body.unknown(), reader.limits().batch_items_max, "unknown")};
}

Finished read(const schema::Finished& body, RequestId, FieldReader& reader) {
  Finished finished;
  reader.check_alignment(body.tasks(), "tasks");
  ErrorTexts errors(reader, body.errors());
  finished.tasks.reserve(count_of(body.tasks()));
  for (flatbuffers::uoffset_t i = 0; i < count_of(body.tasks()) && !reader.failed(); ++i) {
    const schema::FinishedTask& item = *body.tasks()->Get(i);
    FinishedTask task;
    task.id = to_id<TaskId>(item.id());
    task.state = reader.word(item.state(), TaskState::succeeded, TaskState::expired, "state");
    task.reason = reader.word(item.reason(), Reason::none, Reason::expired, "reason");
    task.attempts = item.attempts();
    task.error = errors.next(item.error_bytes());
    task.result = reader.part(item.result_bytes(), "result_bytes");
    finished.tasks.push_back(std::move(task));
  }
  errors.finish();
  return finished;
}

Cancelled read(const schema::Cancelled& body, RequestId request, FieldReader& reader) {
  Cancelled cancelled;
  cancelled.request = request;
  cancelled.items.reserve(count_of(body.items()));
  for (flatbuffers::uoffset_t i = 0; i < count_of(body.items()); ++i) {
    const schema::CancelAnswer& item = *body.items()->Get(i);
    cancelled.items.push_back(
        {reader.word(item.status(), CancelStatus::cancelled, CancelStatus::not_found, "status"),
         reader.word(item.state(), TaskState{0}, TaskState::expired, "state")});
  }
  return cancelled;
}

Changed read(const schema::Changed& body, RequestId request, FieldReader&) {
  return {request, body.count()};
}

StatusReport read(const schema::StatusReport& body, RequestId request, FieldReader&) {
  return {request, replace_invalid_utf8(text_of(body.json()))};
}

Pong read(const schema::Pong& body, RequestId request, FieldReader&) {
  return {request, Epoch(body.epoch())};
}

TasksChanged read(const schema::TasksChanged& body, RequestId request, FieldReader&) {
  return {request, body.count(), body.next_cursor()};
}

Refused read(const schema::Refused& body, RequestId request, FieldReader& reader) {
  return read_refused(body, request, reader);
}

BrokerGoodbye read(const schema::BrokerGoodbye& body, RequestId, FieldReader& reader) {
  return read_goodbye(body, reader);
}

template <class Body>
Result<ClientReply> decode(const ControlFrame& frame, FieldReader& reader) {
  const RequestId request(frame.envelope->request());
  return reader.finish<ClientReply>(read(*frame.envelope->body_as<Body>(), request, reader));
}

// ---- encoding -----------------------------------------------------------------------------------

Frames frames_of(const ClientWelcome& welcome) {
  ControlFrameBuilder frame(512);
  auto& builder = frame.builder();
  const auto endpoints = write_endpoints(builder, welcome.endpoints);
  const auto limits = write_limits(builder, welcome.limits);
  const auto version = builder.CreateString(welcome.broker_version);
  return frame.finish(schema::CreateClientWelcome(builder, welcome.epoch.value, endpoints, limits,
                                                  welcome.beat_interval.in_nanoseconds(), version),
                      welcome.request);
}

Frames frames_of(const Submitted& submitted) {
  ControlFrameBuilder frame(256 + submitted.items.size());
  auto& builder = frame.builder();
  std::vector<schema::SubmitStatus> statuses;
  statuses.reserve(submitted.items.size());
  bool any_message = false;
  for (const SubmitAnswer& item : submitted.items) {
    statuses.push_back(static_cast<schema::SubmitStatus>(item.status));
    any_message = any_message || !item.message.empty();
  }
  flatbuffers::Offset<StringVector> messages;
  if (any_message) {
    std::vector<flatbuffers::Offset<flatbuffers::String>> texts;
    texts.reserve(submitted.items.size());
    // Shared: a full store answers every item of a batch with the same words.
    for (const SubmitAnswer& item : submitted.items) {
      texts.push_back(builder.CreateSharedString(item.message));
    }
    messages = builder.CreateVector(texts);
  }
  const auto written = builder.CreateVector(statuses);
  return frame.finish(
      schema::CreateSubmitted(builder, written, messages, submitted.retry_after.in_nanoseconds()),
      submitted.request);
}

Frames frames_of(const Watching& watching) {
  ControlFrameBuilder frame(128 + 16 * watching.unknown.size());
  const auto unknown = write_ids(frame.builder(), watching.unknown);
  return frame.finish(schema::CreateWatching(frame.builder(), unknown), watching.request);
}

Frames frames_of(const Finished& finished) {
  ControlFrameBuilder frame(256 + 32 * finished.tasks.size());
  auto& builder = frame.builder();
  std::vector<std::uint8_t> texts;
  schema::FinishedTask* items = nullptr;
  const auto tasks = builder.CreateUninitializedVectorOfStructs(finished.tasks.size(), &items);
  for (std::size_t i = 0; i < finished.tasks.size(); ++i) {
    const FinishedTask& task = finished.tasks[i];
    items[i] = schema::FinishedTask(to_uuid(task.id), frame.bundle().add(task.result),
                                    static_cast<std::uint32_t>(task.error.size()), task.attempts,
                                    static_cast<schema::TaskState>(task.state),
                                    static_cast<schema::Reason>(task.reason));
    texts.insert(texts.end(), task.error.begin(), task.error.end());
  }
  const auto errors = builder.CreateVector(texts);
  return frame.finish(schema::CreateFinished(builder, tasks, errors));
}

Frames frames_of(const Cancelled& cancelled) {
  ControlFrameBuilder frame(128 + 2 * cancelled.items.size());
  schema::CancelAnswer* items = nullptr;
  const auto written =
      frame.builder().CreateUninitializedVectorOfStructs(cancelled.items.size(), &items);
  for (std::size_t i = 0; i < cancelled.items.size(); ++i) {
    items[i] = schema::CancelAnswer(static_cast<schema::CancelStatus>(cancelled.items[i].status),
                                    static_cast<schema::TaskState>(cancelled.items[i].state));
  }
  return frame.finish(schema::CreateCancelled(frame.builder(), written), cancelled.request);
}

Frames frames_of(const TaskList& list) {
  return encode_task_list(list);
}

Frames frames_of(const Changed& changed) {
  ControlFrameBuilder frame;
  return frame.finish(schema::CreateChanged(frame.builder(), changed.count), changed.request);
}

Frames frames_of(const TasksChanged& changed) {
  ControlFrameBuilder frame;
  return frame.finish(
      schema::CreateTasksChanged(frame.builder(), changed.count, changed.next_cursor),
      changed.request);
}

Frames frames_of(const Explained& explained) {
  return encode_explained(explained);
}

Frames frames_of(const StatusReport& report) {
  ControlFrameBuilder frame(128 + report.json.size());
  const auto json = frame.builder().CreateString(report.json);
  return frame.finish(schema::CreateStatusReport(frame.builder(), json), report.request);
}

Frames frames_of(const Pong& pong) {
  ControlFrameBuilder frame;
  return frame.finish(schema::CreatePong(frame.builder(), pong.epoch.value), pong.request);
}

}  // namespace

Result<ClientReply> decode_client_reply(const Frames& frames, const PeerLimits& limits) {
  const Result<ControlFrame> opened = open_control_frame(frames, limits, TableBudget::by_size);
  if (!opened.ok()) return opened.error();
  const ControlFrame& frame = *opened;
  FieldReader reader(limits, frame.bundle);
  switch (frame.envelope->body_type()) {
    case schema::Body::ClientWelcome:
      return decode<schema::ClientWelcome>(frame, reader);
    case schema::Body::Submitted:
      return decode<schema::Submitted>(frame, reader);
    case schema::Body::Watching:
      return decode<schema::Watching>(frame, reader);
    case schema::Body::Finished:
      return decode<schema::Finished>(frame, reader);
    case schema::Body::Cancelled:
      return decode<schema::Cancelled>(frame, reader);
    case schema::Body::TaskList:
      return reader.finish<ClientReply>(read_task_list(frame, reader));
    case schema::Body::Changed:
      return decode<schema::Changed>(frame, reader);
    case schema::Body::StatusReport:
      return decode<schema::StatusReport>(frame, reader);
    case schema::Body::Pong:
      return decode<schema::Pong>(frame, reader);
    case schema::Body::Refused:
      return decode<schema::Refused>(frame, reader);
    case schema::Body::BrokerGoodbye:
      return decode<schema::BrokerGoodbye>(frame, reader);
    case schema::Body::Explained:
      return reader.finish<ClientReply>(read_explained(frame, reader));
    case schema::Body::TasksChanged:
      return decode<schema::TasksChanged>(frame, reader);
    default:
      return unsupported_body(frame);
  }
}

Frames encode(const ClientReply& reply) {
  return std::visit([](const auto& body) { return frames_of(body); }, reply);
}

}  // namespace millrace::wire
