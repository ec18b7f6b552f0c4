#include "common/base/ids.h"

#include <gtest/gtest.h>

#include <unordered_set>

namespace millrace {
namespace {

constexpr const char* kText = "0190c3a0-7e4b-7cc0-9f2e-3a1b5c7d9e0f";

TEST(Uuid, ReadsBackWhatItWrites) {
  const std::optional<TaskId> id = parse_id<TaskId>(kText);
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->bytes[0], 0x01);
  EXPECT_EQ(id->bytes[15], 0x0f);
  EXPECT_EQ(to_text(*id), kText);
}

TEST(Uuid, CaseDoesNotMatter) {
  EXPECT_EQ(parse_id<TaskId>("0190C3A0-7E4B-7CC0-9F2E-3A1B5C7D9E0F"), parse_id<TaskId>(kText));
}

TEST(Uuid, RefusesAnythingElse) {
  const std::string valid = kText;
  EXPECT_FALSE(parse_id<TaskId>(""));
  EXPECT_FALSE(parse_id<TaskId>("00000000-0000-0000-0000-000000000000"));
  EXPECT_FALSE(parse_id<TaskId>(valid + "0"));
  EXPECT_FALSE(parse_id<TaskId>(valid.substr(1)));
  EXPECT_FALSE(parse_id<TaskId>("{" + valid.substr(2) + "}"));
  for (std::size_t i = 0; i < valid.size(); ++i) {
    for (const char wrong : {'g', ' ', '/', ':', '@', '`', '\0', '_'}) {
      std::string text = valid;
      text[i] = wrong;
      EXPECT_FALSE(parse_id<TaskId>(text)) << text;
    }
    std::string shifted = valid;
    shifted[i] = shifted[i] == '-' ? '0' : '-';
    EXPECT_FALSE(parse_id<TaskId>(shifted)) << shifted;
  }
}

TEST(Uuid, FreshOnesAreVersionSevenAndSortByTime) {
  Random random(1);
  std::unordered_set<TaskId> seen;
  TaskId before;
  for (int i = 1; i <= 1'000; ++i) {
    const Time now = Time::since_epoch(Duration::milliseconds(1'700'000'000'000 + i));
    const TaskId id = make_task_id(now, random);
    const std::string text = to_text(id);
    EXPECT_EQ(text[14], '7');
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
    EXPECT_LT(before, id);
    EXPECT_TRUE(seen.insert(id).second);
    EXPECT_EQ(parse_id<TaskId>(text), id);
    before = id;
  }
}

TEST(Uuid, RandomIdsAreNeverNilAndDiffer) {
  Random random(0);
  std::unordered_set<WorkerId> seen;
  for (int i = 0; i < 1'000; ++i) {
    const auto id = make_random_id<WorkerId>(random);
    EXPECT_FALSE(id.is_nil());
    EXPECT_TRUE(seen.insert(id).second);
  }
}

TEST(Number, CountsFromNone) {
  EXPECT_TRUE(Fence().is_none());
  EXPECT_EQ(Fence().next(), Fence(1));
  EXPECT_LT(Fence(1), Fence(2));
}

}  // namespace
}  // namespace millrace
