#include "common/base/time.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/random.h"

namespace millrace {
namespace {

using ::testing::HasSubstr;

TEST(Duration, ParsesNumberAndUnit) {
  const std::vector<std::pair<const char*, Duration>> cases = {
      {"0", Duration()},
      {"0s", Duration()},
      {"1ns", Duration::nanoseconds(1)},
      {"3us", Duration::microseconds(3)},
      {"250ms", Duration::milliseconds(250)},
      {"10s", Duration::seconds(10)},
      {"5m", Duration::minutes(5)},
      {"2h", Duration::hours(2)},
      {"7d", Duration::days(7)},
      {"1.5s", Duration::milliseconds(1'500)},
      {"0.001s", Duration::milliseconds(1)},
      {"0.000000001s", Duration::nanoseconds(1)},
      {"007s", Duration::seconds(7)},
  };
  for (const auto& [text, expected] : cases) {
    const Result<Duration> parsed = parse_duration(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(parsed->in_nanoseconds(), expected.in_nanoseconds()) << text;
  }
}

TEST(Duration, RefusesAnythingElseAndShowsIt) {
  for (const char* text : {"",
                           " ",
                           "10",
                           "s",
                           "ms",
                           "-1s",
                           "+1s",
                           "1 s",
                           "1s ",
                           " 1s",
                           "1S",
                           "1x",
                           "1.s",
                           ".5s",
                           "1..5s",
                           "1.2.3s",
                           "1.0000000001s",
                           "1e3s",
                           "1s1s",
                           "99999999999999999999s",
                           "9223372036855d",
                           "0x1s",
                           "s1",
                           "."}) {
    const Result<Duration> parsed = parse_duration(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::invalid);
    EXPECT_THAT(parsed.error().message, HasSubstr("'" + std::string(text) + "'"));
    EXPECT_THAT(parsed.error().message, HasSubstr("250ms"));
  }
}

TEST(Duration, TextBeyondHalfTheRangeIsRefused) {
  EXPECT_EQ(parse_duration("4611686018427387903ns")->in_nanoseconds(), 4'611'686'018'427'387'903);
  EXPECT_EQ(*parse_duration("53375d"), Duration::days(53'375));
  for (const char* text : {"4611686018427387904ns", "53376d", "4611686019s"}) {
    EXPECT_FALSE(parse_duration(text).ok()) << text;
  }
}

TEST(Duration, TextIsTheShortestExactForm) {
  EXPECT_EQ(to_text(Duration()), "0");
  EXPECT_EQ(to_text(Duration::milliseconds(1'500)), "1500ms");
  EXPECT_EQ(to_text(Duration::seconds(60)), "1m");
  EXPECT_EQ(to_text(Duration::seconds(61)), "61s");
  EXPECT_EQ(to_text(Duration::hours(2)), "2h");
  EXPECT_EQ(to_text(Duration::hours(24)), "1d");
  EXPECT_EQ(to_text(Duration::nanoseconds(1'001)), "1001ns");
}

TEST(Duration, TextReadsBackExactly) {
  Random random(1);
  for (int i = 0; i < 10'000; ++i) {
    const auto shift = static_cast<int>(random.below(61)) + 2;
    const Duration duration =
        Duration::nanoseconds(static_cast<std::int64_t>(random.next() >> shift));
    const Result<Duration> parsed = parse_duration(to_text(duration));
    ASSERT_TRUE(parsed.ok()) << to_text(duration);
    ASSERT_EQ(*parsed, duration);
  }
}

TEST(Time, SumsSaturateInsteadOfWrapping) {
  EXPECT_EQ(Time::never() + Duration::seconds(1), Time::never());
  EXPECT_EQ(Time::since_epoch(Duration::days(36'500)) + Duration::days(100'000), Time::never());
  EXPECT_EQ(Time() + Duration::seconds(1), Time::since_epoch(Duration::seconds(1)));
  EXPECT_LT(Time() + Duration::seconds(-1), Time());
}

TEST(Rfc3339, WritesUtcWithMilliseconds) {
  EXPECT_EQ(to_rfc3339(Time()), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(Time::since_epoch(Duration::milliseconds(1'772'368'200'250))),
            "2026-03-01T12:30:00.250Z");
  EXPECT_EQ(to_rfc3339(Time::since_epoch(Duration::milliseconds(-1))), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(to_rfc3339(Time::never()), "2262-04-11T23:47:16.854Z");
}

TEST(Rfc3339, ReadsTheFormsOfTheStandard) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"2026-03-01T12:30:00Z", "2026-03-01T12:30:00.000Z"},
      {"2026-03-01t12:30:00z", "2026-03-01T12:30:00.000Z"},
      {"2026-03-01 12:30:00.25Z", "2026-03-01T12:30:00.250Z"},
      {"2026-03-01T12:30:00.123456789Z", "2026-03-01T12:30:00.123Z"},
      {"2026-03-01T12:30:00.1234567891Z", "2026-03-01T12:30:00.123Z"},
      {"2026-03-01T12:30:00+02:00", "2026-03-01T10:30:00.000Z"},
      {"2026-03-01T00:30:00-01:30", "2026-03-01T02:00:00.000Z"},
      {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"},
      {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"},
      {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"},
      {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"},
  };
  for (const auto& [text, expected] : cases) {
    const Result<Time> parsed = parse_rfc3339(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(to_rfc3339(*parsed), expected) << text;
  }
}

TEST(Rfc3339, RefusesAnythingElseAndShowsIt) {
  for (const char* text : {"",
                           "now",
                           "2026-03-01",
                           "2026-03-01T12:30Z",
                           "2026-03-01T12:30:00",
                           "2026-3-01T12:30:00Z",
                           "2026-13-01T12:30:00Z",
                           "2026-00-01T12:30:00Z",
                           "2026-02-29T12:30:00Z",
                           "2100-02-29T12:30:00Z",
                           "2026-04-31T12:30:00Z",
                           "2026-03-00T12:30:00Z",
                           "2026-03-01T24:00:00Z",
                           "2026-03-01T12:60:00Z",
                           "2026-03-01T12:30:61Z",
                           "2026-03-01T12:30:00.Z",
                           "2026-03-01T12:30:00+2:00",
                           "2026-03-01T12:30:00+24:00",
                           "2026-03-01T12:30:00+02:60",
                           "2026-03-01T12:30:00Zx",
                           "1969-12-31T23:59:59Z",
                           "2201-01-01T00:00:00Z",
                           "+026-03-01T12:30:00Z"}) {
    const Result<Time> parsed = parse_rfc3339(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr("'" + std::string(text) + "'"));
  }
}

TEST(Rfc3339, ReadsBackWhatItWrites) {
  Random random(2);
  for (int i = 0; i < 10'000; ++i) {
    const Time time =
        Time::since_epoch(Duration::milliseconds(random.between(0, 7'258'118'399'999)));
    const Result<Time> parsed = parse_rfc3339(to_rfc3339(time));
    ASSERT_TRUE(parsed.ok()) << to_rfc3339(time);
    ASSERT_EQ(*parsed, time);
  }
}

TEST(TimeTexts, AnyBytesMakeOneReadableErrorLine) {
  EXPECT_THAT(parse_duration("5\nh\xff").error().message, HasSubstr("'5?h?' is not a duration"));
  EXPECT_THAT(parse_rfc3339("\x1b[2J\x7f").error().message, HasSubstr("'?[2J?' is not a time"));
  EXPECT_THAT(parse_duration(std::string(101, '1')).error().message,
              HasSubstr("'" + std::string(100, '1') + "...' is not a duration"));
}

}  // namespace
}  // namespace millrace
