#include "common/base/task_history.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

Time at(std::int64_t seconds) {
  return Time::since_epoch(Duration::days(20'000) + Duration::seconds(seconds));
}

std::vector<std::string> words_of(const Explained& explained) {
  std::vector<std::string> words;
  for (const HistoryEntry& entry : history_of(explained)) {
    std::string text(entry.event);
    if (entry.attempt > 0) text += " #" + std::to_string(entry.attempt);
    if (!entry.fence.is_none()) text += " fence=" + std::to_string(entry.fence.value);
    if (!entry.worker.empty()) text += " on " + entry.worker;
    if (!entry.detail.empty()) text += ": " + entry.detail;
    words.push_back(std::move(text));
  }
  return words;
}

using Words = std::vector<std::string>;

Explained with(TaskState state, std::uint16_t attempts, std::uint64_t fence) {
  Explained explained;
  explained.task.state = state;
  explained.task.attempts = attempts;
  explained.task.fence = Fence(fence);
  explained.task.accepted = at(0);
  if (is_terminal(state)) explained.task.ended = at(9);
  return explained;
}

AttemptRecord failed_attempt(std::uint16_t attempt, std::uint64_t fence) {
  return {attempt, Fence(fence), Reason::crashed, at(1), at(2), "w1", "signal 11"};
}

TEST(TaskHistory, AWaitingTaskWasAccepted) {
  EXPECT_EQ(words_of(with(TaskState::pending, 0, 0)), Words{"accepted"});
}

TEST(TaskHistory, ASuccessNamesItsLeaseAndItsWorker) {
  Explained explained = with(TaskState::succeeded, 2, 2);
  explained.task.attempt_records = {failed_attempt(1, 1)};
  explained.started = at(5);
  explained.task.worker = "w2";
  EXPECT_EQ(words_of(explained),
            (Words{"accepted", "leased #1 fence=1 on w1", "crashed #1 fence=1 on w1: signal 11",
                   "leased #2 fence=2 on w2", "succeeded #2 fence=2 on w2"}));
  EXPECT_EQ(history_of(explained)[3].at, at(5));
  EXPECT_EQ(history_of(explained)[4].at, at(9));
}

TEST(TaskHistory, ADeathIsToldOnceByItsLastAttempt) {
  Explained explained = with(TaskState::dead, 1, 1);
  explained.task.attempt_records = {failed_attempt(1, 1)};
  explained.task.reason = Reason::crashed;
  explained.task.worker = "w1";
  explained.started = at(1);
  EXPECT_EQ(words_of(explained),
            (Words{"accepted", "leased #1 fence=1 on w1", "crashed #1 fence=1 on w1: signal 11",
                   "dead #1 fence=1 on w1: crashed"}));
}

TEST(TaskHistory, LeasesThatLeftNothingBehindAreCounted) {
  Explained explained = with(TaskState::in_progress, 1, 4);
  explained.started = at(3);
  explained.task.worker = "w1";
  explained.task.cancel_requested = true;
  EXPECT_EQ(words_of(explained),
            (Words{"accepted", "leases_not_kept: 3 handed back unstarted, or before a requeue",
                   "leased #1 fence=4 on w1", "cancel_requested #1 fence=4 on w1"}));
  EXPECT_TRUE(history_of(explained)[1].at.is_none());
}

TEST(TaskHistory, AnEndWithoutALeaseHasNoWorker) {
  Explained explained = with(TaskState::cancelled, 0, 0);
  explained.task.reason = Reason::cancelled;
  EXPECT_EQ(words_of(explained), (Words{"accepted", "cancelled: cancelled"}));
}

}  // namespace
}  // namespace millrace
