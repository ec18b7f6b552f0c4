// Worker to broker.
#include <algorithm>
#include <set>

#include "common/wire/shared_messages.h"

namespace millrace::wire {
namespace {

// ---- decoding -----------------------------------------------------------------------------------

// Each name once, in the order of the first mention.
std::vector<std::string> read_queues(const StringVector* queues, FieldReader& reader) {
  std::vector<std::string> read;
  reader.check_count(count_of(queues), reader.limits().worker_queues_max, "queues");
  if (count_of(queues) == 0)
    reader.refuse(ErrorCode::invalid, "queues is empty; name at least one");
  if (reader.failed()) return read;
  std::set<std::string_view> seen;
  for (const flatbuffers::String* queue : *queues) {
    if (seen.insert(text_of(queue)).second) read.push_back(reader.queue_name(queue, "queues"));
  }
  return read;
}

WorkerHello read(const schema::WorkerHello& body, FieldReader& reader) {
  WorkerHello hello;
  const std::uint32_t credit_max = reader.limits().credit_max;
  hello.hello_number = body.hello_number();
  if (hello.hello_number == 0) {
    reader.refuse(ErrorCode::invalid, "hello_number is missing; number hellos from 1");
  }
  hello.worker = reader.id<WorkerId>(body.worker(), "worker");
  hello.name = reader.name(body.name(), "name");
  hello.queues = read_queues(body.queues(), reader);
  if (body.slots() == 0) reader.refuse(ErrorCode::invalid, "slots is 0; it must be at least 1");
  hello.slots = std::min(body.slots(), credit_max);
  hello.credit = std::min(body.credit(), credit_max);
  hello.version = reader.optional_name(body.version(), "version");
  hello.protocol_version = body.protocol_version();
  hello.holding = reader.leases(body.holding(), kHoldingMost, "holding");
  return hello;
}

// A result over its limit fails this task for good and lets the others of the batch through.
void refuse_result(Completion& completion, std::uint64_t result_bytes_max) {
  completion.error = "result is " + std::to_string(completion.result.size()) + " bytes; at most " +
                     std::to_string(result_bytes_max) + " are allowed";
  completion.outcome = Outcome::failed_for_good;
  completion.result = SharedBytes();
}

Complete read(const schema::Complete& body, FieldReader& reader) {
  Complete complete;
  complete.credit = std::min(body.credit(), reader.limits().credit_max);
  complete.answers_recall = body.answers_recall();
  reader.check_count(count_of(body.items()), reader.limits().batch_items_max, "items");
  reader.check_alignment(body.items(), "items");
  if (reader.failed()) return complete;
  ErrorTexts errors(reader, body.errors());
  complete.items.reserve(count_of(body.items()));
  for (std::size_t i = 0; i < count_of(body.items()) && !reader.failed(); ++i) {
    const schema::Completion& item = *body.items()->Get(static_cast<flatbuffers::uoffset_t>(i));
    Completion completion;
    completion.task = to_id<TaskId>(item.task());
    completion.fence = Fence(item.fence());
    completion.outcome =
        reader.word(item.outcome(), Outcome::succeeded, Outcome::released, "outcome");
    completion.error = errors.next(item.error_bytes());
    completion.result = reader.part(item.result_bytes(), "result_bytes");
    completion.elapsed = FieldReader::duration(item.elapsed_ns());
    const std::uint64_t most = reader.limits().result_bytes_max.value;
    if (completion.result.size() > most) refuse_result(completion, most);
    if (completion.outcome != Outcome::succeeded) completion.result = SharedBytes();
    complete.items.push_back(std::move(completion));
  }
  errors.finish();
  return complete;
}

Extend read(const schema::Extend& body, FieldReader& reader) {
  constexpr std::uint8_t kAllDone = 100;
  Extend extend;
  reader.check_count(count_of(body.items()), reader.limits().batch_items_max, "items");
  reader.check_alignment(body.items(), "items");
  if (reader.failed() || body.items() == nullptr) return extend;
  extend.items.reserve(body.items()->size());
  for (const schema::Extension* item : *body.items()) {
    Extension extension;
    extension.task = to_id<TaskId>(item->task());
    extension.fence = Fence(item->fence());
    extension.by = FieldReader::duration(item->by_ns());
    extension.progress_percent = std::min(item->progress_percent(), kAllDone);
    extend.items.push_back(extension);
  }
  return extend;
}

WorkerGoodbye read(const schema::WorkerGoodbye& body, FieldReader& reader) {
  return {reader.message(body.message())};
}

template <class Body>
Result<WorkerMessage> decode(const ControlFrame& frame, FieldReader& reader) {
  return reader.finish<WorkerMessage>(read(*frame.envelope->body_as<Body>(), reader));
}

// ---- encoding -----------------------------------------------------------------------------------

Frames frames_of(const WorkerHello& hello) {
  ControlFrameBuilder frame(512 + 24 * hello.holding.size());
  auto& builder = frame.builder();
  const auto name = builder.CreateString(hello.name);
  const auto queues = builder.CreateVectorOfStrings(hello.queues);
  const auto version = builder.CreateString(hello.version);
  const auto holding = write_leases(builder, hello.holding);
  const schema::Uuid worker = to_uuid(hello.worker);
  return frame.finish(schema::CreateWorkerHello(builder, hello.hello_number, &worker, name, queues,
                                                hello.slots, hello.credit, version,
                                                hello.protocol_version, holding));
}

Frames frames_of(const Complete& complete) {
  ControlFrameBuilder frame(256 + 56 * complete.items.size());
  auto& builder = frame.builder();
  std::vector<std::uint8_t> texts;
  schema::Completion* items = nullptr;
  const auto written = builder.CreateUninitializedVectorOfStructs(complete.items.size(), &items);
  for (std::size_t i = 0; i < complete.items.size(); ++i) {
    const Completion& item = complete.items[i];
    items[i] = schema::Completion(to_uuid(item.task), item.fence.value,
                                  item.elapsed.in_nanoseconds(), frame.bundle().add(item.result),
                                  static_cast<std::uint32_t>(item.error.size()),
                                  static_cast<schema::Outcome>(item.outcome));
    texts.insert(texts.end(), item.error.begin(), item.error.end());
  }
  const auto errors = builder.CreateVector(texts);
  return frame.finish(
      schema::CreateComplete(builder, written, errors, complete.credit, complete.answers_recall));
}

Frames frames_of(const Extend& extend) {
  ControlFrameBuilder frame(128 + 40 * extend.items.size());
  schema::Extension* items = nullptr;
  const auto written =
      frame.builder().CreateUninitializedVectorOfStructs(extend.items.size(), &items);
  for (std::size_t i = 0; i < extend.items.size(); ++i) {
    const Extension& item = extend.items[i];
    items[i] = schema::Extension(to_uuid(item.task), item.fence.value, item.by.in_nanoseconds(),
                                 item.progress_percent);
  }
  return frame.finish(schema::CreateExtend(frame.builder(), written));
}

Frames frames_of(const WorkerGoodbye& goodbye) {
  ControlFrameBuilder frame;
  const auto message = frame.builder().CreateString(goodbye.message);
  return frame.finish(schema::CreateWorkerGoodbye(frame.builder(), message));
}

}  // namespace

Result<WorkerMessage> decode_worker_message(const Frames& frames, const PeerLimits& limits) {
  const Result<ControlFrame> opened = open_control_frame(frames, limits, TableBudget::few);
  if (!opened.ok()) return opened.error();
  const ControlFrame& frame = *opened;
  FieldReader reader(limits, frame.bundle);
  switch (frame.envelope->body_type()) {
    case schema::Body::WorkerHello:
      return decode<schema::WorkerHello>(frame, reader);
    case schema::Body::Complete:
      return decode<schema::Complete>(frame, reader);
    case schema::Body::Extend:
      return decode<schema::Extend>(frame, reader);
    case schema::Body::WorkerGoodbye:
      return decode<schema::WorkerGoodbye>(frame, reader);
    default:
      return unsupported_body(frame);
  }
}

Frames encode(const WorkerMessage& message) {
  return std::visit([](const auto& body) { return frames_of(body); }, message);
}

}  // namespace millrace::wire
