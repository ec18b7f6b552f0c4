#include "common/base/task_state.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(TaskState, NamesReadBack) {
  for (const TaskState state : kAllTaskStates) {
    EXPECT_EQ(task_state_named(name_of(state)), state);
  }
  EXPECT_FALSE(task_state_named("").has_value());
  EXPECT_FALSE(task_state_named("unknown").has_value());
  EXPECT_FALSE(task_state_named("Pending").has_value());
  EXPECT_EQ(name_of(TaskState{0}), "unknown");
}

TEST(TaskState, FourAreTerminal) {
  for (const TaskState state : kAllTaskStates) {
    const bool ended = state == TaskState::succeeded || state == TaskState::dead ||
                       state == TaskState::cancelled || state == TaskState::expired;
    EXPECT_EQ(is_terminal(state), ended) << name_of(state);
  }
}

TEST(Words, EveryOutcomeAndReasonHasAName) {
  for (int i = 1; i <= static_cast<int>(Outcome::released); ++i) {
    EXPECT_NE(name_of(static_cast<Outcome>(i)), "unknown") << i;
  }
  for (int i = 0; i <= static_cast<int>(Reason::expired); ++i) {
    EXPECT_NE(name_of(static_cast<Reason>(i)), "unknown") << i;
  }
  EXPECT_EQ(name_of(static_cast<Outcome>(99)), "unknown");
  EXPECT_EQ(name_of(static_cast<Reason>(99)), "unknown");
}

}  // namespace
}  // namespace millrace
