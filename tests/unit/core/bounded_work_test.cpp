// Everything that one turn does or one table holds is bounded, and what is left over is not lost.
#include <gtest/gtest.h>

#include "broker/core/broker_core.h"
#include "tests/unit/core/fixtures.h"

namespace millrace::broker::test {
namespace {

const PeerId kClient(1);
const PeerId kWorker(2);
constexpr std::uint64_t kTasks = 5;

CoreSettings small_settings() {
  CoreSettings settings;
  settings.tick_work_max = 2;
  settings.request_work_max = 2;
  settings.watches_max = 1;
  settings.workers_max = 20'000;
  settings.stall_min = Duration::days(1);  // time is moved in one step here
  return settings;
}

class BoundedWorkTest : public testing::Test {
 protected:
  BoundedWorkTest() : BoundedWorkTest(small_settings()) {}
  explicit BoundedWorkTest(const CoreSettings& settings) : core_(settings, Random(1)) { tick(); }

  void tick() {
    core_.tick(now_, effects_);
    const auto broken = Invariants::check(core_);
    EXPECT_FALSE(broken.has_value()) << *broken;
  }
  void ask(ClientMessage message) {
    effects_.clear();
    core_.step(FromClient{kClient, std::move(message)}, now_, effects_);
  }
  void say(WorkerMessage message) {
    effects_.clear();
    core_.step(FromWorker{kWorker, std::move(message)}, now_, effects_);
  }
  template <class Reply>
  Reply answer() const {
    return std::get<Reply>(std::get<ToClient>(effects_.sends.at(0)).reply);
  }

  static TaskSpec spec(std::uint64_t number) {
    TaskSpec spec;
    spec.id = id_of(1, number);
    spec.queue = "mail";
    return spec;
  }
  void submit(Duration delay = Duration(), std::uint64_t first = 1) {
    Submit message;
    for (std::uint64_t number = first; number < first + kTasks; ++number) {
      message.tasks.push_back(SubmitItem{spec(number), std::nullopt});
      message.tasks.back().spec.delay = delay;
    }
    ask(std::move(message));
    tick();
  }
  // A worker that takes all tasks.
  void hello() {
    WorkerHello hello;
    hello.hello_number = 1;
    hello.worker.bytes[0] = 1;
    hello.queues = {"mail"};
    hello.slots = hello.credit = static_cast<std::uint32_t>(kTasks);
    say(std::move(hello));
    tick();
  }
  void complete_all(Outcome outcome) {
    Complete message;
    message.credit = static_cast<std::uint32_t>(kTasks);
    for (std::uint64_t number = 1; number <= kTasks; ++number) {
      Completion completion;
      completion.task = id_of(1, number);
      completion.fence = Fence(1);
      completion.outcome = outcome;
      message.items.push_back(std::move(completion));
    }
    say(std::move(message));
  }
  std::uint64_t count(TaskState state) const {
    return core_.status(now_).tasks_by_state[index_of(state)];
  }

  BrokerCore core_;
  Time now_ = at_seconds(0);
  Effects effects_;
};

TEST_F(BoundedWorkTest, LeasesThatEndTogetherEndOverSeveralTicks) {
  hello();
  submit();
  ASSERT_EQ(count(TaskState::in_progress), kTasks);
  now_ = now_ + CoreSettings().timeout_default + CoreSettings().timeout_grace;
  say(Extend{});  // the worker lives
  tick();
  EXPECT_EQ(core_.totals().timeouts, 2U);
  EXPECT_LE(core_.next_deadline(), now_) << "the rest is asked for at once";
  tick();
  EXPECT_EQ(core_.totals().timeouts, 4U);
  tick();
  EXPECT_EQ(core_.totals().timeouts, 5U);
  EXPECT_GT(core_.next_deadline(), now_);
}

TEST_F(BoundedWorkTest, ARequestChangesABoundedNumberOfDeadTasks) {
  hello();
  submit();
  complete_all(Outcome::failed_for_good);
  ASSERT_EQ(count(TaskState::dead), kTasks);
  ask(RequeueDead{RequestId(1), {}, ""});
  EXPECT_EQ(answer<Changed>().count, 2U);
  ask(PurgeDead{RequestId(2), {}, "mail"});
  EXPECT_EQ(answer<Changed>().count, 2U);
  ask(PurgeDead{RequestId(3), {}, "mail"});
  EXPECT_EQ(answer<Changed>().count, 1U);
  tick();
}

TEST_F(BoundedWorkTest, APurgeTakesAQueueInSteps) {
  submit();
  submit(Duration::hours(1), kTasks + 1);
  std::uint64_t purged = 0;
  for (int step = 0; step < 5; ++step) {
    ask(ControlQueue{RequestId(1), "mail", QueueAction::purge});
    EXPECT_EQ(answer<Changed>().count, 2U);
    purged += answer<Changed>().count;
    tick();
  }
  EXPECT_EQ(purged, 2 * kTasks);
  ask(ControlQueue{RequestId(1), "mail", QueueAction::purge});
  EXPECT_EQ(answer<Changed>().count, 0U);
}

TEST_F(BoundedWorkTest, AListComesInPages) {
  submit();
  ListTasks list;
  list.limit = 100;
  std::vector<std::size_t> pages;
  do {
    ask(list);
    const auto& page = std::get<TaskListToClient>(effects_.sends.at(0));
    pages.push_back(page.list.tasks.size());
    list.cursor = page.list.next_cursor;
  } while (list.cursor != 0);
  EXPECT_EQ(pages, (std::vector<std::size_t>{2, 2, 1}));
}

TEST_F(BoundedWorkTest, ATaskIsAcceptedWhenItsWatchIsOneTooMany) {
  Submit message;
  message.watch = true;
  message.tasks = {SubmitItem{spec(1), std::nullopt}, SubmitItem{spec(2), std::nullopt}};
  ask(std::move(message));
  const Submitted submitted = answer<Submitted>();
  EXPECT_EQ(submitted.items.at(0).message, "");
  EXPECT_EQ(submitted.items.at(1).status, SubmitStatus::accepted);
  EXPECT_EQ(submitted.items.at(1).message, "not watched: the broker has its most watches");
  tick();
}

TEST_F(BoundedWorkTest, AStatusIsRenderedByTheShell) {
  ask(GetStatus{RequestId(7), StatusTopic::workers});
  const auto& send = std::get<StatusToClient>(effects_.sends.at(0));
  EXPECT_EQ(send.peer, kClient);
  EXPECT_EQ(send.request, RequestId(7));
  EXPECT_EQ(send.topic, StatusTopic::workers);
}

TEST_F(BoundedWorkTest, AReleaseThatIsSaidAgainIsAcceptedAgain) {
  hello();
  submit();
  ask(ControlQueue{RequestId(1), "mail", QueueAction::pause});
  complete_all(Outcome::released);
  complete_all(Outcome::released);
  const auto& reply = std::get<ToWorker>(effects_.sends.at(0)).reply;
  for (const CompletionAnswer& item : std::get<Completed>(reply).items) EXPECT_TRUE(item.accepted);
  EXPECT_EQ(count(TaskState::pending), kTasks);
  tick();
}

// Ended tasks over their number go, the earliest first, a few a tick.
class BoundedRetentionTest : public BoundedWorkTest {
 protected:
  static CoreSettings settings() {
    CoreSettings settings = small_settings();
    settings.retained_tasks_max = 1;
    return settings;
  }
  BoundedRetentionTest() : BoundedWorkTest(settings()) {}
};

TEST_F(BoundedRetentionTest, EndedTasksAreForgottenOverSeveralTicks) {
  hello();
  submit();
  complete_all(Outcome::succeeded);
  tick();
  EXPECT_EQ(count(TaskState::succeeded), 3U);
  EXPECT_LE(core_.next_deadline(), now_);
  tick();
  EXPECT_EQ(count(TaskState::succeeded), 1U);
  EXPECT_EQ(core_.totals().pruned, kTasks - 1);
}

// Those given up for silent are remembered, so that a beat of theirs is answered; not without end.
TEST_F(BoundedWorkTest, OfTheLostWorkersTheOldestIsForgotten) {
  constexpr std::uint64_t kRemembered = 10'000;
  const auto id = [](std::uint64_t number) {
    WorkerId worker;
    worker.bytes[0] = static_cast<std::uint8_t>(number >> 8);
    worker.bytes[1] = static_cast<std::uint8_t>(number);
    worker.bytes[2] = 1;
    return worker;
  };
  for (std::uint64_t number = 0; number <= kRemembered; ++number) {
    WorkerHello hello;
    hello.hello_number = 1;
    hello.worker = id(number);
    hello.queues = {"mail"};
    core_.step(FromWorker{PeerId(100 + number), std::move(hello)}, now_, effects_);
    now_ = now_ + Duration::nanoseconds(1);  // they fall silent in this order
  }
  core_.tick(now_, effects_);
  for (int second = 0; second < 5; ++second) {
    now_ = now_ + Duration::seconds(1);
    effects_.clear();
    core_.tick(now_, effects_);
    if (core_.status(now_).counters.workers_lost > 0) break;
  }
  ASSERT_EQ(core_.status(now_).counters.workers_lost, kRemembered + 1);
  EXPECT_EQ(effects_.forgotten, std::vector<PeerId>{PeerId(100)});
  const auto answers_to = [&](std::uint64_t number) {
    effects_.clear();
    BeatHeard heard;
    heard.beat.worker = id(number);
    core_.step(heard, now_, effects_);
    return effects_.sends.size();
  };
  EXPECT_EQ(answers_to(0), 0U);
  EXPECT_EQ(answers_to(1), 1U);
  EXPECT_EQ(answers_to(kRemembered), 1U);
}

}  // namespace
}  // namespace millrace::broker::test
