// Limits and rules of all messages and of those of clients, at the limit and one past it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/wire/control_frame.h"
#include "common/wire/heartbeat_codec.h"
#include "tests/unit/wire/random_messages.h"
#include "tests/unit/wire/verdicts.h"

namespace millrace::wire {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;

TEST(Limits, ItemsOfABatch) {
  const RequestId request(1);
  EXPECT_EQ(verdict_of(ClientMessage(Watch{request, some_ids(3)})), "ok");
  EXPECT_THAT(verdict_of(ClientMessage(Watch{request, some_ids(4)})), HasSubstr("too_large"));
  EXPECT_THAT(verdict_of(ClientMessage(Cancel{request, some_ids(4)})), HasSubstr("too_large"));
  EXPECT_THAT(verdict_of(ClientMessage(GetTasks{request, some_ids(4)})), HasSubstr("too_large"));
  EXPECT_THAT(verdict_of(ClientMessage(RequeueDead{request, some_ids(4), ""})),
              HasSubstr("too_large"));
  EXPECT_THAT(verdict_of(ClientMessage(PurgeDead{request, some_ids(4), ""})),
              HasSubstr("too_large"));
  Submit submit{request, false, std::vector<SubmitItem>(3)};
  EXPECT_EQ(verdict_of(ClientMessage(submit)), "ok");
  submit.tasks.emplace_back();
  EXPECT_THAT(verdict_of(ClientMessage(submit)), HasSubstr("too_large: tasks has 4 items"));
  EXPECT_EQ(verdict_of(WorkerMessage(Complete{std::vector<Completion>(3)})), "ok");
  EXPECT_THAT(verdict_of(WorkerMessage(Complete{std::vector<Completion>(4)})),
              HasSubstr("too_large"));
  EXPECT_THAT(verdict_of(WorkerMessage(Extend{std::vector<Extension>(4)})), HasSubstr("too_large"));
}

TEST(Limits, TasksWithDetails) {
  const auto with = [](std::size_t count, bool payload) {
    return verdict_of(ClientMessage(GetTasks{RequestId(1), some_ids(count), payload}),
                      PeerLimits());
  };
  EXPECT_EQ(with(1'000, true), "ok");
  EXPECT_THAT(with(1'001, true), HasSubstr("too_large"));
  EXPECT_EQ(with(10'000, false), "ok");
  EXPECT_THAT(with(10'001, false), HasSubstr("too_large"));
}

TEST(Limits, PageOfAListIsCut) {
  const auto limit_of = [](std::uint32_t limit) {
    ListTasks list;
    list.request = RequestId(1);
    list.limit = limit;
    const auto read = decode_client_message(encode(ClientMessage(list)), PeerLimits());
    return std::get<ListTasks>(*read).limit;
  };
  EXPECT_EQ(limit_of(0), 100U);
  EXPECT_EQ(limit_of(1), 1U);
  EXPECT_EQ(limit_of(1'000), 1'000U);
  EXPECT_EQ(limit_of(4'000'000'000), 1'000U);
}

TEST(Limits, Frames) {
  PeerLimits limits;
  Frames frames = encode(ClientMessage(Ping{RequestId(1)}));
  limits.frame_bytes_max = ByteCount(frames[0].size());
  EXPECT_EQ(verdict(decode_client_message(frames, limits)), "ok");
  limits.frame_bytes_max = ByteCount(frames[0].size() - 1);
  EXPECT_THAT(verdict(decode_client_message(frames, limits)), HasSubstr("too_large"));
  EXPECT_THAT(verdict(decode_client_message({}, PeerLimits())),
              HasSubstr("invalid: message has 0"));
  frames.push_back(SharedBytes());
  EXPECT_EQ(verdict(decode_client_message(frames, PeerLimits())), "ok");  // an empty bundle
  frames.push_back(SharedBytes());
  EXPECT_THAT(verdict(decode_client_message(frames, PeerLimits())), HasSubstr("invalid"));
}

TEST(Limits, BundleMustBeAsLongAsTheLengthsSay) {
  Random random(3);
  Submit submit{RequestId(1), false, {}};
  for (int i = 0; i < 3; ++i) submit.tasks.push_back({encode_task(random_task(random)), {}});
  const Frames frames = encode(ClientMessage(submit));
  EXPECT_THAT(verdict(decode_client_message({frames[0]}, PeerLimits())), HasSubstr("bundle"));
  const Frames shorter = {frames[0], frames[1].slice(0, frames[1].size() - 1)};
  EXPECT_THAT(verdict(decode_client_message(shorter, PeerLimits())), HasSubstr("bundle"));
  std::vector<std::uint8_t> bytes(frames[1].view().begin(), frames[1].view().end());
  bytes.push_back(0);
  const Frames longer = {frames[0], SharedBytes::adopt(std::move(bytes))};
  EXPECT_THAT(verdict(decode_client_message(longer, PeerLimits())), HasSubstr("bundle"));
  const Frames with_ping = {encode(ClientMessage(Ping{RequestId(1)}))[0], frames[1]};
  EXPECT_THAT(verdict(decode_client_message(with_ping, PeerLimits())), HasSubstr("bundle"));
}

TEST(Limits, OneBadTaskDoesNotSpoilItsBatch) {
  Random random(4);
  Submit submit{RequestId(1), true, {}};
  TaskDescription task = random_task(random);
  submit.tasks.push_back({encode_task(task), {}});
  task.priority = 10;
  submit.tasks.push_back({encode_task(task), {}});
  submit.tasks.push_back({TaskSpec(), {}});  // no bytes at all
  const auto read = decode_client_message(encode(ClientMessage(submit)), PeerLimits());
  ASSERT_TRUE(read.ok());
  const Submit& got = std::get<Submit>(*read);
  ASSERT_EQ(got.tasks.size(), 3U);
  EXPECT_FALSE(got.tasks[0].problem.has_value());
  ASSERT_TRUE(got.tasks[1].problem.has_value());
  EXPECT_THAT(got.tasks[1].problem->message, HasSubstr("priority is 10"));
  ASSERT_TRUE(got.tasks[2].problem.has_value());
  EXPECT_EQ(got.tasks[2].problem->code, ErrorCode::invalid);
}

TEST(Limits, RequestsAreNumberedFromOne) {
  EXPECT_THAT(verdict_of(ClientMessage(Ping{RequestId(0)})), HasSubstr("invalid: request"));
  EXPECT_EQ(request_of(encode(ClientMessage(Ping{RequestId(77)}))), RequestId(77));
  EXPECT_TRUE(request_of({}).is_none());
  EXPECT_TRUE(request_of({SharedBytes::copy_of(std::string_view("noise"))}).is_none());
}

TEST(Limits, RequestIsKnownEvenOfAnotherProtocolVersion) {
  ControlFrameBuilder frame;
  auto& builder = frame.builder();
  const auto ping = schema::CreatePing(builder);
  schema::FinishEnvelopeBuffer(
      builder, schema::CreateEnvelope(builder, 2, 5, schema::Body::Ping, ping.Union()));
  const Frames frames = {release(builder)};
  EXPECT_THAT(verdict(decode_client_message(frames, PeerLimits())),
              HasSubstr("unsupported: protocol version 2"));
  EXPECT_EQ(request_of(frames), RequestId(5));
}

TEST(Limits, BodiesThatAreMissingOrUnknown) {
  const auto with = [](schema::Body type, bool body) {
    flatbuffers::FlatBufferBuilder builder;
    const auto ping = body ? schema::CreatePing(builder).Union() : flatbuffers::Offset<void>();
    schema::FinishEnvelopeBuffer(builder, schema::CreateEnvelope(builder, 1, 5, type, ping));
    return verdict(decode_client_message({release(builder)}, PeerLimits()));
  };
  EXPECT_EQ(with(schema::Body::Ping, true), "ok");
  EXPECT_THAT(with(schema::Body::Ping, false), HasSubstr("invalid: control frame has no body"));
  EXPECT_THAT(with(schema::Body::NONE, true), HasSubstr("unsupported: message number 0"));
  EXPECT_THAT(with(static_cast<schema::Body>(200), true),
              HasSubstr("unsupported: message number 200"));
  EXPECT_THAT(with(schema::Body::Drain, true), HasSubstr("unsupported: message Drain"));
}

// `control` with the vector of structs in `field` of its body moved so that its length stays
// aligned to 4 and its elements are not aligned to 8, as no FlatBuffers library would write it.
template <class Body, class Struct>
SharedBytes off_alignment(const SharedBytes& control, flatbuffers::voffset_t field,
                          const flatbuffers::Vector<const Struct*>* vector) {
  const auto* body = schema::GetEnvelope(control.data())->body_as<Body>();
  const std::uint8_t* at = reinterpret_cast<const flatbuffers::Table*>(body)->GetAddressOf(field);
  const auto* moved = reinterpret_cast<const std::uint8_t*>(vector);
  std::vector<std::uint8_t> bytes(control.view().begin(), control.view().end());
  bytes.resize((bytes.size() + 7) / 8 * 8);
  const auto offset_at = static_cast<std::size_t>(at - control.data());
  const auto offset = static_cast<std::uint32_t>(bytes.size() - offset_at);
  bytes.insert(bytes.end(), moved, moved + 4 + sizeof(Struct) * vector->size());
  flatbuffers::WriteScalar(bytes.data() + offset_at, offset);
  return SharedBytes::adopt(std::move(bytes));
}

TEST(Limits, StructsOffTheirAlignmentAreRefused) {
  const Frames watch = encode(ClientMessage(Watch{RequestId(1), some_ids(2)}));
  ASSERT_EQ(verdict(decode_client_message(watch, PeerLimits())), "ok");
  const SharedBytes moved_ids =
      off_alignment<schema::Watch>(watch[0], schema::Watch::VT_TASKS,
                                   schema::GetEnvelope(watch[0].data())->body_as_Watch()->tasks());
  ASSERT_NE(verified_envelope(moved_ids, TableBudget::few), nullptr);
  EXPECT_THAT(verdict(decode_client_message({moved_ids}, PeerLimits())),
              HasSubstr("invalid: tasks is not aligned to 8"));

  const StoppedTask stopped{some_ids(1)[0], Fence(1), StopCause::cancelled};
  const Frames stop = encode(WorkerReply(StopTasks{{stopped}}));
  ASSERT_EQ(verdict(decode_worker_reply(stop, PeerLimits())), "ok");
  const SharedBytes moved_tasks = off_alignment<schema::StopTasks>(
      stop[0], schema::StopTasks::VT_TASKS,
      schema::GetEnvelope(stop[0].data())->body_as_StopTasks()->tasks());
  EXPECT_THAT(verdict(decode_worker_reply({moved_tasks}, PeerLimits())),
              HasSubstr("invalid: tasks is not aligned to 8"));
}

// Nothing reads a frame that is too large, so that it need not be there to be refused.
TEST(Limits, FramesBeyondTheVerifierAreRefusedWhateverIsConfigured) {
  alignas(8) static const std::uint8_t kBytes[8] = {};
  const SharedBytes huge(nullptr, {&kBytes[0], std::size_t{1} << 31});
  PeerLimits limits;
  limits.frame_bytes_max = ByteCount::gibibytes(4);
  EXPECT_THAT(verdict(decode_client_message({huge}, limits)), HasSubstr("too_large: frame is"));
  EXPECT_EQ(request_of({huge}), RequestId());
}

TEST(Limits, HeartbeatsAreShort) {
  const SharedBytes long_frame = SharedBytes::adopt(std::vector<std::uint8_t>(257));
  EXPECT_THAT(verdict(decode_beat(long_frame)), HasSubstr("too_large: heartbeat is 257 bytes"));
  EXPECT_THAT(verdict(decode_pulse(long_frame)), HasSubstr("too_large: heartbeat is 257 bytes"));
  const SharedBytes longest = long_frame.slice(0, 256);
  EXPECT_THAT(verdict(decode_beat(longest)), HasSubstr("invalid"));
}

TEST(Limits, NilIdsAreRefused) {
  const RequestId request(1);
  EXPECT_THAT(verdict_of(ClientMessage(ClientHello{request, ClientId()})), HasSubstr("client"));
  EXPECT_THAT(verdict_of(ClientMessage(Watch{request, {TaskId()}})), HasSubstr("tasks"));
  WorkerHello hello = valid_hello();
  hello.worker = WorkerId();
  EXPECT_THAT(verdict_of(WorkerMessage(hello)), HasSubstr("invalid: worker"));
  hello = valid_hello();
  hello.holding = {HeldLease()};
  EXPECT_THAT(verdict_of(WorkerMessage(hello)), HasSubstr("invalid: holding"));
}

TEST(Limits, WordsOutsideTheirEnum) {
  const RequestId request(1);
  EXPECT_THAT(verdict_of(ClientMessage(ControlQueue{request, "demo", QueueAction{0}})),
              HasSubstr("action is 0"));
  EXPECT_THAT(verdict_of(ClientMessage(ControlQueue{request, "demo", QueueAction{4}})),
              HasSubstr("action is 4"));
  EXPECT_THAT(verdict_of(ClientMessage(GetStatus{request, StatusTopic{9}})), HasSubstr("topic"));
  ListTasks list;
  list.request = request;
  list.filter.state = TaskState{8};
  EXPECT_THAT(verdict_of(ClientMessage(list)), HasSubstr("state is 8"));
  Completion completion;
  for (const int outcome : {0, 8, 255}) {
    completion.outcome = static_cast<Outcome>(outcome);
    EXPECT_THAT(verdict_of(WorkerMessage(Complete{{completion}})), HasSubstr("outcome is"));
  }
}

TEST(Limits, LimitsLeftOutAreTheDefaults) {
  ControlFrameBuilder frame;
  const Frames frames = frame.finish(schema::CreateClientWelcome(frame.builder(), 3));
  const auto read = decode_client_reply(frames, PeerLimits());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(std::get<ClientWelcome>(*read).limits, PeerLimits());
}

TEST(Limits, CodeOfANewerBrokerIsStillARefusal) {
  ControlFrameBuilder frame;
  auto& builder = frame.builder();
  const auto message = builder.CreateString("later");
  const Frames frames =
      frame.finish(schema::CreateRefused(builder, static_cast<schema::ErrorCode>(200), message));
  const auto read = decode_client_reply(frames, PeerLimits());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(std::get<Refused>(*read).code, ErrorCode::invalid);
}

// A TaskList of these many tasks that share one error text.
Frames with_shared_error(std::size_t tasks, bool one_table) {
  ControlFrameBuilder frame;
  auto& builder = frame.builder();
  const auto error = builder.CreateString(std::string(4'000, 'e'));
  const auto queue = builder.CreateString("demo");
  const schema::Uuid id(1, 1);
  const auto view = [&] {
    return schema::CreateTaskView(builder, &id, 1, queue, schema::TaskState::dead,
                                  schema::Reason::none, false, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0,
                                  error);
  };
  std::vector<flatbuffers::Offset<schema::TaskView>> views = {view()};
  while (views.size() < tasks) views.push_back(one_table ? views.front() : view());
  return frame.finish(schema::CreateTaskList(builder, builder.CreateVector(views)));
}

TEST(Limits, SharedTextsOfATaskListAreRefused) {
  EXPECT_EQ(verdict(decode_client_reply(with_shared_error(1, false), PeerLimits())), "ok");
  EXPECT_THAT(verdict(decode_client_reply(with_shared_error(3, false), PeerLimits())),
              HasSubstr("invalid: texts of a TaskList must not be shared"));
}

TEST(Limits, SharedTasksOfATaskListAreRefused) {
  EXPECT_THAT(verdict(decode_client_reply(with_shared_error(1'000, true), PeerLimits())),
              HasSubstr("invalid: control frame is not an Envelope"));
}

TEST(Limits, TablesOfAnInboundFrameAreFew) {
  // A TaskList to the broker: refused by the count of its tables, not after reading them all.
  Random random(6);
  TaskList list;
  for (int i = 0; i < 100; ++i) {
    TaskView view;
    view.id = make_random_id<TaskId>(random);
    view.queue = "demo";
    list.tasks.push_back(view);
  }
  EXPECT_THAT(verdict(decode_client_message(encode(ClientReply(list)), PeerLimits())),
              HasSubstr("not an Envelope"));
}

}  // namespace
}  // namespace millrace::wire
