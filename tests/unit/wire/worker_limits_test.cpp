// Limits and rules of the workers' messages, at the limit and one past it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/wire/control_frame.h"
#include "common/wire/field_reader.h"
#include "common/wire/task_codec.h"
#include "common/wire/utf8.h"
#include "tests/unit/wire/verdicts.h"

namespace millrace::wire {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;

TEST(WorkerLimits, Names) {
  const auto with = [](const std::string& name) {
    WorkerHello hello = valid_hello();
    hello.name = name;
    return verdict_of(WorkerMessage(hello));
  };
  EXPECT_EQ(with(std::string(128, 'n')), "ok");
  EXPECT_EQ(with("w\xc3\xb6rker 1"), "ok");
  for (const std::string& name : {""s, std::string(129, 'n'), "a\nb"s, "\xff"s, "a\0"s}) {
    EXPECT_THAT(with(name), HasSubstr("invalid: name"));
  }
  EXPECT_THAT(verdict_of(ClientMessage(DrainWorker{RequestId(1), ""})), HasSubstr("worker"));
}

TEST(WorkerLimits, QueuesOfAWorker) {
  const auto with = [](std::vector<std::string> queues) {
    WorkerHello hello = valid_hello();
    hello.queues = std::move(queues);
    return verdict_of(WorkerMessage(hello));
  };
  EXPECT_EQ(with({"a", "b"}), "ok");
  EXPECT_THAT(with({}), HasSubstr("invalid: queues is empty"));
  EXPECT_THAT(with({"a", "b", "c"}), HasSubstr("too_large: queues"));
  EXPECT_THAT(with({"a", ""}), HasSubstr("invalid: queues"));
  EXPECT_THAT(with({"123456789"}), HasSubstr("invalid: queues"));
}

TEST(WorkerLimits, QueueNamedTwiceCountsOnce) {
  WorkerHello hello = valid_hello();
  hello.queues = {"b", "b"};
  EXPECT_EQ(decoded<WorkerHello>(hello).queues, std::vector<std::string>{"b"});
}

TEST(WorkerLimits, SlotsAndCredit) {
  WorkerHello hello = valid_hello();
  hello.slots = 0;
  EXPECT_THAT(verdict_of(WorkerMessage(hello)), HasSubstr("invalid: slots"));
  hello.slots = 6;
  hello.credit = 4'000'000'000;
  EXPECT_EQ(decoded<WorkerHello>(hello).slots, 5U);
  EXPECT_EQ(decoded<WorkerHello>(hello).credit, 5U);
  hello.credit = 0;
  EXPECT_EQ(decoded<WorkerHello>(hello).credit, 0U);
  EXPECT_EQ(decoded<Complete>(Complete{{}, 6, 0}).credit, 5U);
  hello.hello_number = 0;
  EXPECT_THAT(verdict_of(WorkerMessage(hello)), HasSubstr("hello_number"));
}

TEST(WorkerLimits, WorkerMayHoldMoreThanItsCredit) {
  Random random(5);
  WorkerHello hello = valid_hello();
  hello.holding.assign(kHoldingMost, {make_random_id<TaskId>(random), Fence(1)});
  EXPECT_EQ(verdict_of(WorkerMessage(hello)), "ok");
  hello.holding.push_back(hello.holding.front());
  EXPECT_THAT(verdict_of(WorkerMessage(hello)), HasSubstr("too_large: holding"));
}

TEST(WorkerLimits, ErrorTextKeepsItsEnd) {
  Completion completion;
  completion.outcome = Outcome::failed;
  const auto error_of = [&](const std::string& error) {
    completion.error = error;
    return decoded<Complete>(Complete{{completion}}).items[0].error;
  };
  EXPECT_EQ(error_of("0123456789"), "0123456789");
  EXPECT_EQ(error_of("x0123456789"), "0123456789");
  EXPECT_EQ(error_of("\xe2\x82\xac"
                     "123456789"),
            "123456789");
  EXPECT_EQ(error_of("bad \xff"), "bad \xef\xbf\xbd");
  const std::string replaced = error_of(std::string(10, '\xff'));
  EXPECT_LE(replaced.size(), 10U);
  EXPECT_TRUE(is_utf8(replaced));
}

TEST(WorkerLimits, ErrorsMustBeAsLongAsTheLengthsSay) {
  const auto with = [](std::uint32_t error_bytes, std::size_t errors) {
    ControlFrameBuilder frame;
    auto& builder = frame.builder();
    const schema::Completion item(schema::Uuid(1, 1), 1, 0, 0, error_bytes,
                                  schema::Outcome::failed);
    const auto items = builder.CreateVectorOfStructs(&item, 1);
    const auto texts = builder.CreateVector(std::vector<std::uint8_t>(errors, 'e'));
    return verdict(decode_worker_message(
        frame.finish(schema::CreateComplete(builder, items, texts)), small_limits()));
  };
  EXPECT_EQ(with(4, 4), "ok");
  EXPECT_THAT(with(5, 4), HasSubstr("error_bytes"));
  EXPECT_THAT(with(3, 4), HasSubstr("errors is longer"));
}

TEST(WorkerLimits, ResultTooLargeFailsItsTaskForGood) {
  Completion small;
  small.result = SharedBytes::copy_of(std::string(20, 'r'));
  Completion large;
  large.result = SharedBytes::copy_of(std::string(21, 'r'));
  const Complete read = decoded<Complete>(Complete{{small, large}});
  EXPECT_EQ(read.items[0].outcome, Outcome::succeeded);
  EXPECT_EQ(read.items[0].result.size(), 20U);
  EXPECT_EQ(read.items[1].outcome, Outcome::failed_for_good);
  EXPECT_TRUE(read.items[1].result.empty());
  EXPECT_THAT(read.items[1].error, HasSubstr("21 bytes"));
}

TEST(WorkerLimits, OnlySuccessHasAResult) {
  Completion failed;
  failed.outcome = Outcome::failed;
  failed.result = SharedBytes::copy_of(std::string_view("half"));
  EXPECT_TRUE(decoded<Complete>(Complete{{failed}}).items[0].result.empty());
}

TEST(WorkerLimits, ProgressAndDurationsAreCut) {
  Extension extension;
  extension.progress_percent = 250;
  extension.by = Duration::seconds(-1);
  Extension read = decoded<Extend>(Extend{{extension}}).items[0];
  EXPECT_EQ(read.progress_percent, 100);
  EXPECT_EQ(read.by, Duration());
  extension.by = Duration::days(100'000);
  EXPECT_EQ(decoded<Extend>(Extend{{extension}}).items[0].by, kTaskDurationMost);
}

TEST(WorkerLimits, LivenessOfAWelcomeMustMakeSense) {
  const auto with = [](Duration beat, Duration silence) {
    WorkerWelcome welcome;
    welcome.liveness = {beat, silence};
    return verdict(decode_worker_reply(encode(WorkerReply(welcome)), PeerLimits()));
  };
  EXPECT_EQ(with(Duration::milliseconds(1), Duration::milliseconds(2)), "ok");
  EXPECT_THAT(with(Duration(), Duration::seconds(1)), HasSubstr("beat_interval_ns"));
  EXPECT_THAT(with(Duration::seconds(1), Duration::seconds(1)), HasSubstr("silence_max_ns"));
}

TEST(WorkerLimits, PositionsBeyondTheirVector) {
  ControlFrameBuilder completed;
  const auto stale = completed.builder().CreateVector(std::vector<std::uint32_t>{0});
  EXPECT_THAT(
      verdict(decode_worker_reply(
          completed.finish(schema::CreateCompleted(completed.builder(), 0, stale)), PeerLimits())),
      HasSubstr("stale goes beyond"));
  ControlFrameBuilder dispatch;
  const schema::DispatchedTask task(schema::Uuid(1, 1), 1, 0, 0, 1, 1, 1);
  const auto tasks = dispatch.builder().CreateVectorOfStructs(&task, 1);
  const auto queues = dispatch.builder().CreateVectorOfStrings({"demo"});
  EXPECT_THAT(verdict(decode_worker_reply(
                  dispatch.finish(schema::CreateDispatch(dispatch.builder(), tasks, queues)),
                  PeerLimits())),
              HasSubstr("queue_index goes beyond"));
}

}  // namespace
}  // namespace millrace::wire
