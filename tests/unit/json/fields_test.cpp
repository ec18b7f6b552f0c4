// Single members: what is taken, and the words for each fault.
#include "common/json/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::json {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

TEST(Fields, AFenceIsANumberOrItsDigits) {
  Fence fence;
  EXPECT_FALSE(read_fence("fence", Json::parse("7"), fence).has_value());
  EXPECT_EQ(fence, Fence(7));
  EXPECT_FALSE(read_fence("fence", Json("18446744073709551615"), fence).has_value());
  EXPECT_EQ(fence, Fence(UINT64_MAX));
}

TEST(Fields, WhatIsNoFenceIsRefused) {
  for (const char* text : {"0", "-1", "1.0", "\"\"", "\"0\"", "\"7 \"", "\"x\"",
                           "\"18446744073709551616\"", "null", "true", "[1]"}) {
    Fence fence(5);
    const auto problem = read_fence("fence", Json::parse(text), fence);
    ASSERT_TRUE(problem.has_value()) << text;
    EXPECT_THAT(problem->message, HasSubstr("the fence that came with the lease"));
    EXPECT_EQ(fence, Fence(5));
  }
}

TEST(Fields, ANumberOutsideItsRangeIsRefusedWhateverItsType) {
  std::int64_t number = 0;
  EXPECT_FALSE(read_integer("n", Json(3U), 1, 3, number).has_value());
  EXPECT_FALSE(read_integer("n", Json(1), 1, 3, number).has_value());
  EXPECT_EQ(number, 1);
  for (const Json& value : {Json(4U), Json(4), Json(0), Json(-1), Json(UINT64_MAX)}) {
    const auto problem = read_integer("n", value, 1, 3, number);
    ASSERT_TRUE(problem.has_value()) << value;
    EXPECT_EQ(problem->message, "'n' is " + value.dump() + "; it must be 1 to 3");
  }
}

TEST(Fields, AnIdIsAString) {
  TaskId id;
  for (const Json& value : {Json(7), Json("7"), Json(nullptr)}) {
    EXPECT_TRUE(read_task_id("id", value, id).has_value()) << value;
  }
  EXPECT_TRUE(id.is_nil());
}

TEST(Fields, AFlagIsTrueOrFalseAndNothingElse) {
  bool flag = false;
  EXPECT_FALSE(read_flag("release", Json(true), flag).has_value());
  EXPECT_TRUE(flag);
  for (const char* text : {"1", "\"true\"", "null"}) {
    EXPECT_TRUE(read_flag("release", Json::parse(text), flag).has_value()) << text;
  }
}

TEST(Fields, BytesAreTextOrBase64) {
  SharedBytes bytes;
  EXPECT_FALSE(read_text("result", Json("a\"b"), bytes).has_value());
  EXPECT_EQ(bytes.text(), "a\"b");
  EXPECT_FALSE(read_base64("result_base64", Json("/w=="), bytes).has_value());
  EXPECT_EQ(bytes.text(), "\xff");
  EXPECT_TRUE(read_base64("result_base64", Json(1), bytes).has_value());
  const auto problem = read_text("result", Json(1), bytes);
  ASSERT_TRUE(problem.has_value());
  EXPECT_EQ(problem->message,
            "'result' is 1; it must be a string (quote it, or give 'result_base64')");
}

}  // namespace
}  // namespace millrace::json
