#include "common/base/bytes.h"

#include <gtest/gtest.h>

#include "common/base/result.h"

namespace millrace {
namespace {

TEST(SharedBytes, SliceKeepsItsParentAlive) {
  SharedBytes slice;
  {
    const SharedBytes whole = SharedBytes::copy_of(std::string_view("hello world"));
    slice = whole.slice(6, 5);
    EXPECT_EQ(slice.data(), whole.data() + 6);
  }
  EXPECT_EQ(slice.text(), "world");
}

TEST(SharedBytes, SlicesAtTheEdges) {
  const SharedBytes whole = SharedBytes::copy_of(std::string_view("abc"));
  EXPECT_EQ(whole.slice(0, 3), whole);
  EXPECT_TRUE(whole.slice(3, 0).empty());
  EXPECT_TRUE(SharedBytes().slice(0, 0).empty());
}

TEST(SharedBytesDeathTest, SliceOutsideAborts) {
  const SharedBytes whole = SharedBytes::copy_of(std::string_view("abc"));
  EXPECT_DEATH(whole.slice(1, 3), "slice within its bytes");
  EXPECT_DEATH(whole.slice(4, 0), "slice within its bytes");
  EXPECT_DEATH(whole.slice(1, ~std::size_t{0}), "slice within its bytes");
}

TEST(SharedBytes, EqualityIsOfContents) {
  const SharedBytes one = SharedBytes::copy_of(std::string_view("abc"));
  EXPECT_EQ(one, SharedBytes::adopt({'a', 'b', 'c'}));
  EXPECT_FALSE(one == SharedBytes::adopt({'a', 'b', 'd'}));
  EXPECT_FALSE(one == SharedBytes());
  EXPECT_EQ(SharedBytes(), SharedBytes::adopt({}));
}

TEST(ResultDeathTest, ReadingTheSideThatIsNotThereAborts) {
  const Result<int> good = 5;
  const Result<int> bad = Error{ErrorCode::busy, "later"};
  EXPECT_EQ(*good, 5);
  EXPECT_EQ(bad.error().code, ErrorCode::busy);
  EXPECT_DEATH(static_cast<void>(good.error()), "error\\(\\) of a Result");
  EXPECT_DEATH(static_cast<void>(bad.value()), "value\\(\\) of a failed Result");
}

TEST(ErrorCode, EveryCodeHasAName) {
  for (int code = 1; code <= static_cast<int>(ErrorCode::misconfigured); ++code) {
    EXPECT_STRNE(name_of(static_cast<ErrorCode>(code)), "unknown") << code;
  }
  EXPECT_STREQ(name_of(static_cast<ErrorCode>(0)), "unknown");
  EXPECT_STREQ(name_of(static_cast<ErrorCode>(200)), "unknown");
}

}  // namespace
}  // namespace millrace
