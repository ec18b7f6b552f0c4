#include "common/wire/task_list_codec.h"

#include "common/wire/shared_messages.h"

namespace millrace::wire {
namespace {

AttemptRecord read_attempt(const schema::AttemptRecord& attempt, FieldReader& reader) {
  AttemptRecord record;
  record.attempt = attempt.attempt();
  record.fence = Fence(attempt.fence());
  record.reason = reader.word(attempt.reason(), Reason::none, Reason::expired, "reason");
  record.started = FieldReader::time(attempt.started_ns());
  record.ended = FieldReader::time(attempt.ended_ns());
  record.worker = reader.optional_name(attempt.worker(), "worker");
  record.error = reader.message(attempt.error());
  return record;
}

TaskView read_view(const schema::TaskView& task, FieldReader& reader) {
  TaskView view;
  view.id = reader.id<TaskId>(task.id(), "id");
  view.sequence = TaskSequence(task.sequence());
  view.queue = reader.queue_name(task.queue(), "queue");
  view.state = reader.word(task.state(), TaskState::delayed, TaskState::expired, "state");
  view.reason = reader.word(task.reason(), Reason::none, Reason::expired, "reason");
  view.cancel_requested = task.cancel_requested();
  view.priority = task.priority();
  view.attempts = task.attempts();
  view.max_attempts = task.max_attempts();
  view.fence = Fence(task.fence());
  view.timeout = FieldReader::duration(task.timeout_ns());
  view.accepted = FieldReader::time(task.accepted_ns());
  view.due = FieldReader::time(task.due_ns());
  view.expires = FieldReader::time(task.expires_ns());
  view.ended = FieldReader::time(task.ended_ns());
  view.worker = reader.optional_name(task.worker(), "worker");
  view.progress_percent = task.progress_percent();
  view.error = reader.message(task.error());
  view.payload_bytes = ByteCount(task.payload_bytes());
  view.result_bytes = ByteCount(task.result_bytes());
  view.spec = reader.part(task.spec_in_bundle_bytes(), "spec_in_bundle_bytes");
  view.result = reader.part(task.result_in_bundle_bytes(), "result_in_bundle_bytes");
  for (std::size_t i = 0; i < count_of(task.attempt_records()) && !reader.failed(); ++i) {
    const auto* attempt = task.attempt_records()->Get(static_cast<flatbuffers::uoffset_t>(i));
    view.attempt_records.push_back(read_attempt(*attempt, reader));
  }
  return view;
}

// Bytes of text in `view`. Texts shared within a frame could otherwise grow it without bound.
std::size_t text_bytes(const TaskView& view) {
  std::size_t bytes = view.queue.size() + view.worker.size() + view.error.size();
  for (const AttemptRecord& attempt : view.attempt_records) {
    bytes += attempt.worker.size() + attempt.error.size();
  }
  return bytes;
}

flatbuffers::Offset<schema::AttemptRecord> write_attempt(flatbuffers::FlatBufferBuilder& builder,
                                                         const AttemptRecord& record) {
  const auto worker = builder.CreateString(record.worker);
  const auto error = builder.CreateString(record.error);
  return schema::CreateAttemptRecord(builder, record.attempt, record.fence.value,
                                     static_cast<schema::Reason>(record.reason),
                                     record.started.since_epoch().in_nanoseconds(),
                                     record.ended.since_epoch().in_nanoseconds(), worker, error);
}

flatbuffers::Offset<schema::TaskView> write_view(ControlFrameBuilder& frame, const TaskView& view) {
  auto& builder = frame.builder();
  std::vector<flatbuffers::Offset<schema::AttemptRecord>> attempts;
  attempts.reserve(view.attempt_records.size());
  for (const AttemptRecord& record : view.attempt_records) {
    attempts.push_back(write_attempt(builder, record));
  }
  const auto records = builder.CreateVector(attempts);
  const auto queue = builder.CreateString(view.queue);
  const auto worker = builder.CreateString(view.worker);
  const auto error = builder.CreateString(view.error);
  const schema::Uuid id = to_uuid(view.id);
  const std::uint32_t spec_bytes = frame.bundle().add(view.spec);
  const std::uint32_t result_bytes = frame.bundle().add(view.result);
  return schema::CreateTaskView(
      builder, &id, view.sequence.value, queue, static_cast<schema::TaskState>(view.state),
      static_cast<schema::Reason>(view.reason), view.cancel_requested, view.priority, view.attempts,
      view.max_attempts, view.fence.value, view.timeout.in_nanoseconds(),
      view.accepted.since_epoch().in_nanoseconds(), view.due.since_epoch().in_nanoseconds(),
      view.expires.since_epoch().in_nanoseconds(), view.ended.since_epoch().in_nanoseconds(),
      worker, view.progress_percent, error, view.payload_bytes.value, view.result_bytes.value,
      records, spec_bytes, result_bytes);
}

}  // namespace

TaskList read_task_list(const ControlFrame& frame, FieldReader& reader) {
  const schema::TaskList& body = *frame.envelope->body_as_TaskList();
  TaskList list;
  list.request = RequestId(frame.envelope->request());
  list.next_cursor = body.next_cursor();
  list.unknown = reader.ids(body.unknown(), reader.limits().batch_items_max, "unknown");
  reader.check_count(count_of(body.tasks()), reader.limits().batch_items_max, "tasks");
  std::size_t texts = 0;
  for (std::size_t i = 0; i < count_of(body.tasks()) && !reader.failed(); ++i) {
    const auto* task = body.tasks()->Get(static_cast<flatbuffers::uoffset_t>(i));
    list.tasks.push_back(read_view(*task, reader));
    texts += text_bytes(list.tasks.back());
    if (texts > frame.control.size()) {
      reader.refuse(ErrorCode::invalid, "texts of a TaskList must not be shared");
    }
  }
  return list;
}

Explained read_explained(const ControlFrame& frame, FieldReader& reader) {
  const schema::Explained& body = *frame.envelope->body_as_Explained();
  Explained explained;
  explained.request = RequestId(frame.envelope->request());
  if (body.task() == nullptr) {
    reader.refuse(ErrorCode::invalid, "task is missing");
    return explained;
  }
  explained.task = read_view(*body.task(), reader);
  if (text_bytes(explained.task) > frame.control.size()) {
    reader.refuse(ErrorCode::invalid, "texts of an Explained must not be shared");
  }
  explained.standing =
      reader.word(body.standing(), TaskStanding::delayed, TaskStanding::expired, "standing");
  explained.text = reader.message(body.text());
  explained.since = FieldReader::time(body.since_ns());
  explained.until = FieldReader::time(body.until_ns());
  explained.started = FieldReader::time(body.started_ns());
  explained.ahead = body.ahead();
  explained.ahead_is_estimate = body.ahead_is_estimate();
  explained.wait = FieldReader::duration(body.wait_ns());
  explained.workers = body.workers();
  return explained;
}

Frames encode_explained(const Explained& explained) {
  ControlFrameBuilder frame(1'024);
  auto& builder = frame.builder();
  const auto task = write_view(frame, explained.task);
  const auto text = builder.CreateString(explained.text);
  return frame.finish(
      schema::CreateExplained(builder, task, static_cast<schema::TaskStanding>(explained.standing),
                              text, explained.since.since_epoch().in_nanoseconds(),
                              explained.until.since_epoch().in_nanoseconds(),
                              explained.started.since_epoch().in_nanoseconds(), explained.ahead,
                              explained.ahead_is_estimate, explained.wait.in_nanoseconds(),
                              explained.workers),
      explained.request);
}

Frames encode_task_list(const TaskList& list) {
  ControlFrameBuilder frame(256 + 256 * list.tasks.size());
  auto& builder = frame.builder();
  std::vector<flatbuffers::Offset<schema::TaskView>> views;
  views.reserve(list.tasks.size());
  for (const TaskView& view : list.tasks) views.push_back(write_view(frame, view));
  const auto tasks = builder.CreateVector(views);
  const auto unknown = write_ids(builder, list.unknown);
  return frame.finish(schema::CreateTaskList(builder, tasks, unknown, list.next_cursor),
                      list.request);
}

}  // namespace millrace::wire
