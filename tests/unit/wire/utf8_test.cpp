#include "common/wire/utf8.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

using namespace std::string_literals;

TEST(Utf8, WellFormed) {
  for (const std::string& text :
       {""s, "plain"s, "\0"s, "\x7f"s, "\xc2\x80"s, "\xdf\xbf"s, "\xe0\xa0\x80"s, "\xed\x9f\xbf"s,
        "\xee\x80\x80"s, "\xef\xbf\xbf"s, "\xf0\x90\x80\x80"s, "\xf4\x8f\xbf\xbf"s}) {
    EXPECT_TRUE(is_utf8(text)) << text;
    EXPECT_EQ(replace_invalid_utf8(text), text);
  }
}

TEST(Utf8, IllFormed) {
  for (const std::string& text :
       {"\x80"s, "\xbf"s, "\xc0\x80"s, "\xc1\xbf"s, "\xc2"s, "\xe0\x9f\xbf"s, "\xe2\x82"s,
        "\xed\xa0\x80"s, "\xf0\x8f\xbf\xbf"s, "\xf0\x9f\x8e"s, "\xf4\x90\x80\x80"s,
        "\xf5\x80\x80\x80"s, "\xff"s, "a\xc3(b"s}) {
    EXPECT_FALSE(is_utf8(text)) << text;
    EXPECT_TRUE(is_utf8(replace_invalid_utf8(text)));
  }
}

TEST(Utf8, EachMaximalIllFormedPartBecomesOneReplacement) {
  const std::string mark = "\xef\xbf\xbd";
  EXPECT_EQ(replace_invalid_utf8("a\xffz"), "a" + mark + "z");
  EXPECT_EQ(replace_invalid_utf8("\xe2\x82"), mark);  // a cut character
  EXPECT_EQ(replace_invalid_utf8("\xe2\x82(\xa1"), mark + "(" + mark);
  EXPECT_EQ(replace_invalid_utf8("\xed\xa0\x80"), mark + mark + mark);  // a surrogate
  EXPECT_EQ(replace_invalid_utf8("\xf0\x80\x80"), mark + mark + mark);  // an overlong form
}

TEST(Utf8, LastBytesStartAtACharacter) {
  const std::string euro = "\xe2\x82\xac";
  EXPECT_EQ(last_bytes_of_utf8("abc", 3), "abc");
  EXPECT_EQ(last_bytes_of_utf8("abc", 2), "bc");
  EXPECT_EQ(last_bytes_of_utf8("abc", 0), "");
  EXPECT_EQ(last_bytes_of_utf8(euro + "x", 4), euro + "x");
  EXPECT_EQ(last_bytes_of_utf8(euro + "x", 3), "x");
  EXPECT_EQ(last_bytes_of_utf8(euro + "x", 2), "x");
  // Bytes that never were UTF-8 do not make it run on.
  EXPECT_EQ(last_bytes_of_utf8(std::string(10, '\x80'), 8).size(), 5U);
}

TEST(Utf8, ControlCharacters) {
  EXPECT_FALSE(has_control_characters("caf\xc3\xa9 ~"));
  for (const std::string& text : {"\0"s, "a\n"s, "\x1f"s, "\x7f"s, "\x1b[2J"s}) {
    EXPECT_TRUE(has_control_characters(text));
  }
}

}  // namespace
}  // namespace millrace
