// The whole C++ worker against a scripted broker on real sockets.
#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "tests/unit/worker/fake_broker.h"
#include "tests/unit/worker/pool_fixture.h"
#include "worker/cpp/builtins.h"
#include "worker/cpp/worker.h"

namespace millrace::worker {
namespace {

// Where a handler waits for the test. Shared with the handler, whose thread may be left behind.
class Gate {
 public:
  void open() { promise_.set_value(); }
  void wait() const { future_.wait(); }

 private:
  std::promise<void> promise_;
  std::shared_future<void> future_ = promise_.get_future().share();
};

class WorkerTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.broker = broker_.address();
    options_.slots = 2;
    options_.name = "test-worker";
    options_.notice = [this](NoticeLevel, const std::string& text) {
      const std::lock_guard lock(mutex_);
      notices_ += text + "\n";
    };
  }
  void TearDown() override {
    if (worker_ && running_.joinable()) {
      worker_->request_stop();
      worker_->request_stop();
      running_.join();
    }
  }

  void start(Handler handler) {
    worker_ = std::make_unique<Worker>(options_);
    worker_->handle("q", std::move(handler));
    running_ = std::thread([this] {
      const Status status = worker_->run();
      status_.set_value(status.ok() ? "" : std::string(name_of(status.error().code)));
    });
  }
  void start_and_welcome(Handler handler) {
    start(std::move(handler));
    broker_.welcome();
  }
  // "" or the code of run()'s error; waits for the end of run().
  std::string end() {
    const std::string status = status_.get_future().get();
    running_.join();
    return status;
  }
  std::string notices() {
    const std::lock_guard lock(mutex_);
    return notices_;
  }
  static StoppedTask stop_of(const DispatchedTask& task, StopCause cause) {
    return StoppedTask{task.task, task.fence, cause};
  }

  FakeBroker broker_;
  WorkerOptions options_;
  std::unique_ptr<Worker> worker_;
  std::thread running_;
  std::promise<std::string> status_;
  std::mutex mutex_;
  std::string notices_;
};

TEST_F(WorkerTest, OptionsThatCannotWorkAreRefused) {
  const auto run = [](const WorkerOptions& options, const std::string& queue, Handler handler) {
    Worker worker(options);
    if (!queue.empty()) worker.handle(queue, std::move(handler));
    const Status status = worker.run();
    return status.ok() ? ErrorCode{} : status.error().code;
  };
  WorkerOptions bad_broker = options_;
  bad_broker.broker = "http://here:99999";
  EXPECT_EQ(run(bad_broker, "q", echo), ErrorCode::misconfigured);
  EXPECT_EQ(run(options_, "", echo), ErrorCode::misconfigured);
  EXPECT_EQ(run(options_, "not a name", echo), ErrorCode::misconfigured);
  EXPECT_EQ(run(options_, "q", nullptr), ErrorCode::misconfigured);
  WorkerOptions bad_name = options_;
  bad_name.name = "two\nlines";
  EXPECT_EQ(run(bad_name, "q", echo), ErrorCode::misconfigured);
  WorkerOptions many = options_;
  many.slots = 1'000'000;
  EXPECT_EQ(run(many, "q", echo), ErrorCode::misconfigured);
}

TEST_F(WorkerTest, WithoutABrokerItGivesUpOnlyIfTold) {
  options_.broker = "127.0.0.1:1";
  options_.connect_timeout = Duration::milliseconds(50);
  start(echo);
  EXPECT_EQ(end(), "unavailable");
}

TEST_F(WorkerTest, ARefusalForGoodEndsIt) {
  start(echo);
  broker_.expect<WorkerHello>();
  broker_.send(Refused{RequestId(), ErrorCode::unsupported, "protocol 1 is too old", Duration()});
  EXPECT_EQ(end(), "unsupported");
}

TEST_F(WorkerTest, WorksAndLeavesPolitely) {
  start(echo);
  const WorkerHello hello = broker_.welcome();
  EXPECT_EQ(hello.name, "test-worker");
  EXPECT_EQ(hello.queues, std::vector<std::string>{"q"});
  EXPECT_EQ(hello.slots, 2U);
  EXPECT_TRUE(hello.holding.empty());
  broker_.send(Dispatch{{make_task(1, "hello"), make_task(2, "world")}});
  const auto completions = broker_.expect_completions(2);
  for (const Completion& completion : completions) {
    EXPECT_EQ(completion.outcome, Outcome::succeeded);
    EXPECT_EQ(completion.result.text(),
              completion.task == make_task(1, "").task ? "hello" : "world");
  }
  worker_->request_stop();
  broker_.expect<WorkerGoodbye>();
  EXPECT_EQ(end(), "");
  EXPECT_NE(notices().find("2 succeeded"), std::string::npos) << notices();
}

TEST_F(WorkerTest, FailuresOfHandlersAreReportedAsTheyMean) {
  start_and_welcome([](const Task& task) -> Answer {
    if (task.payload().text() == "throw") throw std::runtime_error("thrown");
    return fail_for_good("never");
  });
  broker_.send(Dispatch{{make_task(1, "throw")}});
  Completion completion = broker_.expect_completions(1).at(0);
  EXPECT_EQ(completion.outcome, Outcome::failed);
  EXPECT_EQ(completion.error, "thrown");
  broker_.send(Dispatch{{make_task(2, "")}});
  completion = broker_.expect_completions(1).at(0);
  EXPECT_EQ(completion.outcome, Outcome::failed_for_good);
}

TEST_F(WorkerTest, BrokenMessagesAreDroppedWithANotice) {
  start_and_welcome(echo);
  broker_.send_frames({SharedBytes::copy_of("garbage")});
  broker_.send_frames({SharedBytes()});
  broker_.send_frames(wire::Frames(20, SharedBytes::copy_of("x")));
  broker_.send(Dispatch{{make_task(1, "still here")}});
  EXPECT_EQ(broker_.expect_completions(1).at(0).result.text(), "still here");
  EXPECT_NE(notices().find("broken message"), std::string::npos);
}

TEST_F(WorkerTest, BeatsCarryTheSessionAndWhatRuns) {
  const auto gate = std::make_shared<Gate>();
  start_and_welcome([=](const Task&) {
    gate->wait();
    return done();
  });
  broker_.send(Dispatch{{make_task(1, "")}});
  Beat beat = broker_.expect_beat();
  while (beat.running == 0 && !HasFailure()) beat = broker_.expect_beat();
  EXPECT_EQ(beat.session, SessionNonce(77));
  EXPECT_GT(broker_.expect_beat().number, beat.number);
  gate->open();
}

TEST_F(WorkerTest, ACancelReachesTheHandler) {
  start_and_welcome([](const Task& task) {
    return task.wait_for_stop(Duration::hours(1)) ? done("too late") : done();
  });
  const DispatchedTask task = make_task(1, "");
  broker_.send(Dispatch{{task}});
  broker_.send(StopTasks{{stop_of(task, StopCause::cancelled)}});
  EXPECT_EQ(broker_.expect_completions(1).at(0).outcome, Outcome::cancelled);
}

TEST_F(WorkerTest, AHungHandlerIsTimedOutAndLeftBehind) {
  const auto gate = std::make_shared<Gate>();  // outlives the thread that is left behind
  start_and_welcome([gate](const Task&) {
    gate->wait();
    return done();
  });
  DispatchedTask task = make_task(1, "");
  task.timeout = Duration::milliseconds(50);
  broker_.send(Dispatch{{task}});
  const Completion completion = broker_.expect_completions(1).at(0);
  EXPECT_EQ(completion.outcome, Outcome::timed_out);
  EXPECT_EQ(completion.error, "timed out after 50ms");
  worker_->request_stop();
  EXPECT_EQ(end(), "");
  gate->open();
}

TEST_F(WorkerTest, ExtensionsAndProgressReachTheBroker) {
  const auto gate = std::make_shared<Gate>();
  start_and_welcome([=](const Task& task) {
    task.extend(Duration::minutes(9));
    task.progress(60);
    gate->wait();
    return done();
  });
  DispatchedTask task = make_task(1, "");
  task.timeout = Duration::minutes(1);
  broker_.send(Dispatch{{task}});
  std::uint8_t progress = 0;
  while (progress == 0 && !HasFailure()) {
    const auto items = broker_.expect<Extend>().items;
    ASSERT_FALSE(items.empty());
    EXPECT_GT(items[0].by, Duration::minutes(8));
    progress = items[0].progress_percent;
  }
  EXPECT_EQ(progress, 60);
  gate->open();
}

TEST_F(WorkerTest, ABrokerCrashTakesNoTaskFromIt) {
  const auto gate = std::make_shared<Gate>();
  const auto runs = std::make_shared<std::atomic<int>>(0);
  start_and_welcome([=](const Task&) {
    ++*runs;
    gate->wait();
    return done("survived");
  });
  const DispatchedTask task = make_task(1, "");
  broker_.send(Dispatch{{task}});
  while (broker_.expect_beat().running == 0 && !HasFailure()) {
  }
  broker_.crash_and_restart();
  const WorkerHello hello = broker_.welcome();
  EXPECT_GT(hello.hello_number, 1U);
  EXPECT_EQ(hello.holding, std::vector<HeldLease>{lease_of(task)});
  gate->open();
  EXPECT_EQ(broker_.expect_completions(1).at(0).result.text(), "survived");
  EXPECT_EQ(runs->load(), 1);
  EXPECT_NE(notices().find("lost the broker"), std::string::npos);
  EXPECT_NE(notices().find("reconnected"), std::string::npos);
}

TEST_F(WorkerTest, ACompletionThatWasNotAcknowledgedIsRepeatedToTheNextBroker) {
  start_and_welcome(echo);
  broker_.send(Dispatch{{make_task(1, "x")}});
  EXPECT_EQ(broker_.expect<Complete>().items.size(), 1U);
  broker_.crash_and_restart();
  EXPECT_EQ(broker_.welcome().holding.size(), 1U);
  EXPECT_EQ(broker_.expect_completions(1).at(0).task, make_task(1, "").task);
}

TEST_F(WorkerTest, ASilentBrokerIsLeftForANewConnection) {
  broker_.silence_max_ = Duration::milliseconds(200);
  start_and_welcome(echo);
  EXPECT_GT(broker_.welcome().hello_number, 1U);
}

TEST_F(WorkerTest, WhatStillRunsAfterTheDrainTimeoutIsHandedBack) {
  options_.drain_timeout = Duration::milliseconds(50);
  const auto entered = std::make_shared<Gate>();
  const auto reason = std::make_shared<std::promise<StopReason>>();
  start_and_welcome([entered, reason](const Task& task) {
    entered->open();
    task.wait_for_stop(Duration::hours(1));
    reason->set_value(task.stop_reason());
    return done();
  });
  const DispatchedTask task = make_task(1, "");
  broker_.send(Dispatch{{task}});
  entered->wait();
  worker_->request_stop();
  Complete last;
  while (last.items.empty() && !HasFailure()) last = broker_.expect<Complete>();
  EXPECT_EQ(last.credit, 0U);
  ASSERT_EQ(last.items.size(), 1U);
  EXPECT_EQ(last.items[0].outcome, Outcome::released);
  broker_.expect<WorkerGoodbye>();
  EXPECT_EQ(end(), "");
  EXPECT_EQ(reason->get_future().get(), StopReason::shutting_down);
}

TEST_F(WorkerTest, DrainedByTheBrokerItEnds) {
  start_and_welcome(echo);
  broker_.send(Drain{});
  broker_.expect<WorkerGoodbye>();
  EXPECT_EQ(end(), "");
}

TEST_F(WorkerTest, EachOfThousandsOfTinyTasksEndsOnce) {
  constexpr std::uint64_t kTasks = 5'000;
  start_and_welcome(echo);
  Dispatch dispatch;
  for (std::uint64_t fence = 1; fence <= kTasks; ++fence) {
    dispatch.tasks.push_back(make_task(1, "tiny"));
    dispatch.tasks.back().fence = Fence(fence);
  }
  broker_.send(dispatch);
  std::vector<bool> ended(kTasks + 1);
  for (const Completion& completion : broker_.expect_completions(kTasks)) {
    // A slow machine hands back what has waited too long.
    EXPECT_TRUE(completion.outcome == Outcome::succeeded ||
                completion.outcome == Outcome::released);
    EXPECT_FALSE(ended.at(completion.fence.value));
    ended.at(completion.fence.value) = true;
  }
}

TEST_F(WorkerTest, AcknowledgementsAreTold) {
  std::promise<CompletionAnswer> told;
  options_.acknowledged = [&](const CompletionAnswer& answer) { told.set_value(answer); };
  start_and_welcome(echo);
  broker_.send(Dispatch{{make_task(1, "x")}});
  const Completion completion = broker_.expect<Complete>().items.at(0);
  broker_.send(Completed{{{completion.task, completion.fence, true}}});
  auto answer = told.get_future();
  ASSERT_EQ(answer.wait_for(std::chrono::seconds(60)), std::future_status::ready);
  EXPECT_EQ(answer.get().task, completion.task);
}

TEST_F(WorkerTest, FaultInjectionSeesEveryMessage) {
  options_.before_send = lie_about;
  start_and_welcome(echo);
  broker_.send(Dispatch{{make_task(1, "x")}});
  EXPECT_EQ(broker_.expect<Complete>().items.size(), 3U);
}

}  // namespace
}  // namespace millrace::worker
