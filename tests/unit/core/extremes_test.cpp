// Extreme values that a peer may send, against a whole core: nothing overflows, nothing breaks.
#include <gtest/gtest.h>

#include <limits>

#include "broker/core/broker_core.h"
#include "tests/unit/core/fixtures.h"

namespace millrace::broker::test {
namespace {

constexpr Duration kLongest = Duration::nanoseconds(std::numeric_limits<std::int64_t>::max());
const PeerId kClient(1);
const PeerId kWorker(2);

class ExtremesTest : public testing::Test {
 protected:
  ExtremesTest() : core_(CoreSettings(), Random(1)) { tick(); }

  void tick() {
    core_.tick(now_, effects_);
    const auto broken = Invariants::check(core_);
    EXPECT_FALSE(broken.has_value()) << *broken;
  }
  TaskSpec spec(std::uint64_t number) {
    TaskSpec spec;
    spec.id = id_of(1, number);
    spec.queue = "mail";
    return spec;
  }
  void submit(const TaskSpec& task) {
    core_.step(FromClient{kClient, Submit{RequestId(), false, {SubmitItem{task, std::nullopt}}}},
               now_, effects_);
    tick();
  }
  void hello(std::uint32_t slots, std::uint32_t credit) {
    WorkerHello hello;
    hello.hello_number = 1;
    hello.worker.bytes[0] = 1;
    hello.queues = {"mail"};
    hello.slots = slots;
    hello.credit = credit;
    core_.step(FromWorker{kWorker, std::move(hello)}, now_, effects_);
    tick();
  }
  void complete(std::uint64_t number, Outcome outcome, Duration elapsed) {
    Completion completion;
    completion.task = id_of(1, number);
    completion.fence = Fence(1);
    completion.outcome = outcome;
    completion.elapsed = elapsed;
    Complete message;
    message.items.push_back(std::move(completion));
    core_.step(FromWorker{kWorker, std::move(message)}, now_, effects_);
    tick();
  }
  std::uint64_t count(TaskState state) const {
    return core_.status(now_).tasks_by_state[index_of(state)];
  }

  BrokerCore core_;
  Time now_ = at_seconds(0);
  Effects effects_;
};

TEST_F(ExtremesTest, TheLongestDelayNeverComesDue) {
  TaskSpec task = spec(1);
  task.delay = kLongest;
  task.not_before = Time::never();
  submit(task);
  now_ = now_ + Duration::days(10'000);
  tick();
  EXPECT_EQ(count(TaskState::delayed), 1U);
}

TEST_F(ExtremesTest, TheLongestTtlTimeoutAndRetentionNeverEnd) {
  hello(1, 1);
  TaskSpec task = spec(1);
  task.ttl = kLongest;
  task.timeout = kLongest;
  task.retention = kLongest;
  submit(task);
  EXPECT_EQ(count(TaskState::in_progress), 1U);
  complete(1, Outcome::succeeded, Duration());
  now_ = now_ + Duration::days(10'000);
  tick();
  EXPECT_EQ(count(TaskState::succeeded), 1U);
}

TEST_F(ExtremesTest, TheShortestTimesEndAtOnce) {
  TaskSpec task = spec(1);
  task.ttl = Duration::nanoseconds(1);
  submit(task);
  EXPECT_EQ(count(TaskState::pending), 1U);
  now_ = now_ + Duration::nanoseconds(1);
  tick();
  EXPECT_EQ(count(TaskState::expired), 1U);
}

TEST_F(ExtremesTest, TheLongestBackoffIsALateRetry) {
  hello(1, 1);
  TaskSpec task = spec(1);
  task.backoff = Backoff{kLongest, kLongest};
  submit(task);
  complete(1, Outcome::failed, Duration());
  EXPECT_EQ(count(TaskState::delayed), 1U);
}

TEST_F(ExtremesTest, ElapsedTimesAreKeptWithinWhatTheBrokerSaw) {
  hello(2, 2);
  submit(spec(1));
  submit(spec(2));
  now_ = now_ + Duration::seconds(1);
  complete(1, Outcome::succeeded, kLongest);
  complete(2, Outcome::succeeded, kLongest);
  const CoreStatus status = core_.status(now_);
  ASSERT_EQ(status.workers.size(), 1U);
  EXPECT_EQ(status.workers[0].busy_time, Duration::seconds(2));
  EXPECT_LE(status.workers[0].utilisation, 1.0);
}

TEST_F(ExtremesTest, NegativeElapsedTimesCountAsNone) {
  hello(1, 1);
  submit(spec(1));
  complete(1, Outcome::succeeded, kLongest * -1);
  EXPECT_EQ(core_.status(now_).workers[0].busy_time, Duration());
}

TEST_F(ExtremesTest, CreditIsCutToItsLimitAndSlotsAreAtLeastOne) {
  hello(0, std::numeric_limits<std::uint32_t>::max());
  const CoreStatus status = core_.status(now_);
  EXPECT_EQ(status.workers[0].slots, 1U);
  EXPECT_EQ(status.workers[0].credit, CoreSettings().limits.credit_max);
}

TEST_F(ExtremesTest, NoCreditMeansNoWork) {
  hello(std::numeric_limits<std::uint32_t>::max(), 0);
  submit(spec(1));
  EXPECT_EQ(count(TaskState::pending), 1U);
}

TEST_F(ExtremesTest, AnExtensionForEverHoldsTheLease) {
  hello(1, 1);
  TaskSpec task = spec(1);
  task.timeout = Duration::seconds(1);
  submit(task);
  core_.step(FromWorker{kWorker, Extend{{{task.id, Fence(1), kLongest, 255}}}}, now_, effects_);
  tick();
  now_ = now_ + Duration::seconds(2);
  core_.step(FromWorker{kWorker, Extend{}}, now_, effects_);
  tick();
  EXPECT_EQ(count(TaskState::in_progress), 1U);
  EXPECT_LE(core_.next_deadline(), now_ + CoreSettings().tick_interval_max);
}

TEST_F(ExtremesTest, AListOfNothingIsEmpty) {
  submit(spec(1));
  effects_.clear();
  ListTasks list;
  list.cursor = std::numeric_limits<std::uint64_t>::max();
  core_.step(FromClient{kClient, list}, now_, effects_);
  const auto& answer = std::get<TaskListToClient>(effects_.sends.at(0));
  EXPECT_TRUE(answer.list.tasks.empty());
  EXPECT_EQ(answer.list.next_cursor, 0U);
}

}  // namespace
}  // namespace millrace::broker::test
