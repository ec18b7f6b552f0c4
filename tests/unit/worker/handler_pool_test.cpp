#include "worker/cpp/handler_pool.h"

#include <sys/resource.h>

#include <atomic>
#include <future>
#include <stdexcept>

#include "tests/unit/worker/pool_fixture.h"
#include "worker/cpp/builtins.h"

namespace millrace::worker {
namespace {

class HandlerPoolTest : public PoolTest {};

TEST_F(HandlerPoolTest, AnExceptionIsARetryWithItsWords) {
  make_pool([](const Task&) -> Answer { throw std::runtime_error("disk on fire"); });
  const Completion completion = run(make_task(1, ""));
  EXPECT_EQ(completion.outcome, Outcome::failed);
  EXPECT_EQ(completion.error, "disk on fire");
}

// A person reads that descriptors are short, instead of a crash.
TEST(HandlerPoolDescriptors, TooFewAreNoticed) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 16;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const HandlerPool pool(64, {});
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_FALSE(pool.ok());
}

TEST_F(HandlerPoolTest, AnythingThrownIsARetry) {
  make_pool([](const Task&) -> Answer { throw 42; });
  EXPECT_EQ(run(make_task(1, "")).outcome, Outcome::failed);
}

TEST_F(HandlerPoolTest, ATaskThatCannotBeReadFailsForGood) {
  make_pool(echo);
  DispatchedTask task = make_task(1, "x");
  task.spec = SharedBytes::copy_of("not a FlatBuffer");
  EXPECT_EQ(run(task).outcome, Outcome::failed_for_good);
  task.spec = SharedBytes();
  EXPECT_EQ(run(task).outcome, Outcome::failed_for_good);
}

TEST_F(HandlerPoolTest, ATaskOfAnotherQueueIsRetriedElsewhere) {
  make_pool(echo);
  DispatchedTask task = make_task(1, "x");
  task.queue = "other";
  EXPECT_EQ(run(task).outcome, Outcome::failed);
}

TEST_F(HandlerPoolTest, TheHandlerSeesItsTask) {
  make_pool([](const Task& task) {
    EXPECT_EQ(task.queue(), "q");
    EXPECT_EQ(task.attempt(), 2);
    EXPECT_EQ(task.max_attempts(), 3);
    EXPECT_EQ(task.fence(), Fence(41));
    EXPECT_EQ(task.headers(), (Task::Headers{{"trace", "7"}}));
    EXPECT_FALSE(task.cancelled());
    return done(task.payload());
  });
  const Completion completion = run(make_task(1, "payload", {{"trace", "7"}}));
  EXPECT_EQ(completion.outcome, Outcome::succeeded);
  EXPECT_EQ(completion.result.text(), "payload");
  EXPECT_EQ(completion.fence, Fence(41));
}

TEST_F(HandlerPoolTest, AStopWakesTheHandlerOfItsTaskOnly) {
  make_pool(
      [](const Task& task) {
        if (task.payload().text() == "quick") return done();
        return task.wait_for_stop(Duration::hours(1)) ? retry("stopped") : done();
      },
      2);
  const DispatchedTask slow = make_task(1, "slow");
  pool_->start({slow, make_task(2, "quick")});
  EXPECT_EQ(wait_for(1).at(0).task, make_task(2, "").task);
  pool_->stop(lease_of(make_task(9, "")), StopReason::cancelled);  // unknown
  pool_->stop(lease_of(slow), StopReason::cancelled);
  EXPECT_EQ(wait_for(1).at(0).outcome, Outcome::failed);
  // The slot's flag is down again for its next task.
  EXPECT_EQ(run(make_task(3, "quick")).outcome, Outcome::succeeded);
}

TEST_F(HandlerPoolTest, AMoreUrgentReasonReplacesAWeakerOne) {
  std::promise<void> entered;
  std::promise<void> seen;
  make_pool([&](const Task& task) {
    entered.set_value();
    task.wait_for_stop(Duration::hours(1));
    seen.set_value();
    while (task.stop_reason() != StopReason::shutting_down) std::this_thread::yield();
    return done();
  });
  const DispatchedTask task = make_task(1, "");
  pool_->start({task});
  entered.get_future().wait();
  pool_->stop(lease_of(task), StopReason::timed_out);
  pool_->stop(lease_of(task), StopReason::cancelled);
  seen.get_future().wait();
  pool_->stop_all(StopReason::shutting_down);
  EXPECT_EQ(wait_for(1).at(0).outcome, Outcome::succeeded);
}

TEST_F(HandlerPoolTest, WhatIsStoppedBeforeItsStartDoesNotRun) {
  std::promise<void> go;
  std::atomic<int> runs{0};
  make_pool([&, gate = go.get_future().share()](const Task&) {
    ++runs;
    gate.wait();
    return done();
  });
  const DispatchedTask waiting = make_task(2, "");
  pool_->start({make_task(1, ""), waiting});
  pool_->stop(lease_of(waiting), StopReason::lease_lost);
  go.set_value();
  EXPECT_EQ(wait_for(2).size(), 2U);
  EXPECT_EQ(runs.load(), 1);
}

TEST_F(HandlerPoolTest, ExtensionsAndProgressAreReported) {
  make_pool([](const Task& task) {
    task.extend(Duration::minutes(2));
    task.progress(250);
    return done();
  });
  run(make_task(1, ""));
  ASSERT_EQ(extensions_.size(), 2U);
  EXPECT_EQ(extensions_[0].by, Duration::minutes(2));
  EXPECT_EQ(extensions_[1].progress_percent, 100);
}

TEST_F(HandlerPoolTest, EveryOneOfManyTinyTasksEndsOnce) {
  make_pool(echo, 4);
  std::vector<DispatchedTask> tasks;
  for (std::uint64_t fence = 1; fence <= 2'000; ++fence) {
    tasks.push_back(make_task(1, "x"));
    tasks.back().fence = Fence(fence);
  }
  pool_->start(tasks);
  std::vector<bool> ended(2'001);
  for (const Completion& completion : wait_for(2'000)) {
    EXPECT_FALSE(ended.at(completion.fence.value));
    ended.at(completion.fence.value) = true;
  }
  EXPECT_EQ(pool_->unfinished(), 0U);
}

TEST_F(HandlerPoolTest, AHandlerThatNeverReturnsIsLeftBehind) {
  auto go = std::make_shared<std::promise<void>>();
  const auto entered = std::make_shared<std::promise<void>>();
  make_pool([gate = go->get_future().share(), entered](const Task&) {
    entered->set_value();
    gate.wait();
    return done();
  });
  pool_->start({make_task(1, "")});
  entered->get_future().wait();
  pool_.reset();  // returns, or the test hangs
  go->set_value();
}

TEST_F(HandlerPoolTest, SleepWantsANumber) {
  make_pool(sleep_for_payload);
  EXPECT_EQ(run(make_task(1, "1")).outcome, Outcome::succeeded);
  EXPECT_EQ(run(make_task(2, "soon")).outcome, Outcome::failed_for_good);
  EXPECT_EQ(run(make_task(3, "-1")).outcome, Outcome::failed_for_good);
  EXPECT_EQ(run(make_task(4, "")).outcome, Outcome::failed_for_good);
}

TEST(PoisonTest, ALieNamesAFenceThatWasNeverGrantedAndRepeatsTheTruth) {
  WorkerMessage message =
      Complete{{Completion{TaskId(), Fence(1), Outcome::succeeded, "", {}, {}}}, 1, 0};
  lie_about(message);
  const auto& items = std::get<Complete>(message).items;
  ASSERT_EQ(items.size(), 3U);
  EXPECT_NE(items[0].fence, Fence(1));
  EXPECT_EQ(items[1].fence, Fence(1));
  EXPECT_EQ(items[2].fence, Fence(1));
}

}  // namespace
}  // namespace millrace::worker
