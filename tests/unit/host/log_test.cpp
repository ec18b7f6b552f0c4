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

TEST(Log, OneRecordIsOneLineWhateverItSays) {
  EXPECT_THAT(logged("info", [](spdlog::logger& log) { log.error("a\nb\x1b[2J\tc"); }),
              HasSubstr("a\\nb\\x1b[2J\\x09c\n"));
}

}  // namespace
}  // namespace millrace::host
