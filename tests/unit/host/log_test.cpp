#include "common/host/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::host {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

std::string logged(const std::string& level, const std::function<void(spdlog::logger&)>& act) {
  ::testing::internal::CaptureStderr();
  const Result<Log> log = make_log("millrace-test", level);
  if (log.ok()) act(**log);
  return ::testing::internal::GetCapturedStderr();
}

TEST(Log, UnknownLevelIsRefusedWithTheKnownOnes) {
  const Result<Log> log = make_log("millrace-test", "loud");
  ASSERT_FALSE(log.ok());
  EXPECT_EQ(log.error().code, ErrorCode::misconfigured);
  EXPECT_THAT(log.error().message, ::testing::AllOf(HasSubstr("loud"), HasSubstr("trace, debug")));
}

TEST(Log, LineHasTimeLevelProgramAndText) {
  EXPECT_THAT(
      logged("info", [](spdlog::logger& log) { log.info("listening on {}", 5555); }),
      ContainsRegex("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z info  "
                    "millrace-test: listening on 5555\n$"));
}

TEST(Log, LevelsBelowAreSilent) {
  EXPECT_EQ(logged("warn", [](spdlog::logger& log) { log.info("text"); }), "");
  EXPECT_THAT(logged("warn", [](spdlog::logger& log) { log.warn("text"); }), HasSubstr(" warn  "));
  EXPECT_EQ(logged("off", [](spdlog::logger& log) { log.critical("text"); }), "");
}

TEST(Log, JsonIsOneObjectALine) {
  ::testing::internal::CaptureStderr();
  const Result<Log> log = make_log("millrace-test", "info", "json");
  ASSERT_TRUE(log.ok());
  (*log)->warn("a\nb \"c\" \\ \xff \xc3\xa4");
  const std::string line = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(line, ContainsRegex("^\\{\"time\":\"[0-9T:.-]+Z\",\"level\":\"warn\",\"program\":"
                                  "\"millrace-test\",\"pid\":[0-9]+,\"text\":"));
  EXPECT_THAT(line, HasSubstr("\"a\\u000ab \\\"c\\\" \\\\ \xef\xbf\xbd \xc3\xa4\"}\n"));
  EXPECT_FALSE(make_log("millrace-test", "info", "xml").ok());
}

TEST(Log, TheLevelCanBeChanged) {
  const std::string text = logged("warn", [](spdlog::logger& log) {
    EXPECT_FALSE(set_level(log, "loud").ok());
    log.info("before");
    EXPECT_TRUE(set_level(log, "info").ok());
    log.info("after");
  });
  EXPECT_THAT(text, ::testing::Not(HasSubstr("before")));
  EXPECT_THAT(text, HasSubstr("after"));
}

TEST(Log, OneRecordIsOneLineWhateverItSays) {
  EXPECT_THAT(logged("info", [](spdlog::logger& log) { log.error("a\nb\x1b[2J\tc"); }),
              HasSubstr("a\\nb\\x1b[2J\\x09c\n"));
}

}  // namespace
}  // namespace millrace::host
