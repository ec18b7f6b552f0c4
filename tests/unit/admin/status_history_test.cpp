#include "broker/admin/status_history.h"

#include <gtest/gtest.h>

#include "tests/unit/admin/sample_snapshot.h"

namespace millrace::broker {
namespace {

QueueStatus queue_of(const std::string& name, std::uint64_t pending) {
  QueueStatus queue;
  queue.name = name;
  queue.pending = pending;
  return queue;
}

TEST(StatusRecorder, KeepsASampleEachInterval) {
  StatusRecorder recorder;
  StatusSnapshot snapshot = sample_snapshot();
  EXPECT_EQ(recorder.note(snapshot)->samples.size(), 1U);
  snapshot.taken = snapshot.taken + StatusRecorder::kInterval - Duration::nanoseconds(1);
  EXPECT_EQ(recorder.note(snapshot)->samples.size(), 1U);
  snapshot.taken = snapshot.taken + Duration::nanoseconds(1);
  EXPECT_EQ(recorder.note(snapshot)->samples.size(), 2U);
}

TEST(StatusRecorder, FollowsAClockThatIsSetBack) {
  StatusRecorder recorder;
  StatusSnapshot snapshot = sample_snapshot();
  recorder.note(snapshot);
  snapshot.taken = snapshot.taken - Duration::seconds(3600);
  EXPECT_EQ(recorder.note(snapshot)->samples.back()->taken, snapshot.taken);
}

TEST(StatusRecorder, ForgetsTheOldestAndChangesNoHistoryThatIsOut) {
  StatusRecorder recorder;
  StatusSnapshot snapshot = sample_snapshot();
  const Time first = snapshot.taken;
  const auto early = recorder.note(snapshot);
  for (std::size_t i = 0; i < StatusRecorder::kSamplesMax; ++i) {
    snapshot.taken = snapshot.taken + StatusRecorder::kInterval;
    recorder.note(snapshot);
  }
  const auto late = recorder.note(snapshot);
  EXPECT_EQ(late->samples.size(), StatusRecorder::kSamplesMax);
  EXPECT_EQ(late->samples.front()->taken, first + StatusRecorder::kInterval);
  EXPECT_EQ(late->samples.back()->taken, snapshot.taken);
  EXPECT_EQ(early->samples.size(), 1U);
}

TEST(StatusSample, HasTheFiguresOfItsSnapshot) {
  const StatusSnapshot snapshot = sample_snapshot();
  const StatusSample sample = sample_of(snapshot);
  EXPECT_EQ(sample.submitted, 1'000U);
  EXPECT_EQ(sample.succeeded, 700U);
  EXPECT_EQ(sample.dead_lettered, 13U);
  EXPECT_EQ(sample.retries, 41U);
  EXPECT_EQ(sample.waiting, 240U);  // 200 pending, 40 delayed
  EXPECT_EQ(sample.in_progress, 27U);
  EXPECT_EQ(sample.slots, 12U);
  EXPECT_EQ(sample.workers, 3U);
}

TEST(StatusSample, NamesTheDeepestQueues) {
  StatusSnapshot snapshot = sample_snapshot();
  snapshot.queues.clear();
  for (std::uint64_t i = 0; i < 2 * StatusRecorder::kQueuesMax; ++i) {
    snapshot.queues.push_back(queue_of("q" + std::to_string(100 + i), i));
  }
  const std::vector<QueueSample> kept = sample_of(snapshot).queues;
  ASSERT_EQ(kept.size(), StatusRecorder::kQueuesMax);
  EXPECT_EQ(kept.front().name, "q116");
  EXPECT_EQ(kept.back().name, "q131");
  EXPECT_EQ(kept.back().waiting, 31U);
}

}  // namespace
}  // namespace millrace::broker
