// ZAP as messages: who is named, and that nothing odd is taken for a key.
#include "broker/access/zap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::broker::test {
namespace {

using ::testing::ElementsAre;
using Frames = std::vector<std::string>;

const std::string kBytes(32, '\x01');

TEST(Zap, ACurveQuestionHasAKey) {
  const auto question =
      read_zap_question({"1.0", "7", "millrace", "10.0.0.1", "", "CURVE", kBytes});
  ASSERT_TRUE(question.has_value());
  EXPECT_EQ(question->request_id, "7");
  EXPECT_EQ(question->address, "10.0.0.1");
  EXPECT_EQ(question->public_key.size(), 40U);
}

TEST(Zap, WithoutACurveKeyThereIsNone) {
  const std::vector<Frames> keyless = {
      {"1.0", "7", "d", "a", "", "NULL"},
      {"1.0", "7", "d", "a", "", "PLAIN", "admin", "admin"},
      {"1.0", "7", "d", "a", "", "PLAIN", kBytes},
      {"1.0", "7", "d", "a", "", "CURVE"},
      {"1.0", "7", "d", "a", "", "CURVE", kBytes.substr(1)},
      {"1.0", "7", "d", "a", "", "CURVE", kBytes, kBytes},
  };
  for (const Frames& frames : keyless) {
    const auto question = read_zap_question(frames);
    ASSERT_TRUE(question.has_value());
    EXPECT_EQ(question->public_key, "");
  }
}

TEST(Zap, WhatIsNoQuestionIsNone) {
  EXPECT_FALSE(read_zap_question({}).has_value());
  EXPECT_FALSE(read_zap_question({"1.0", "7", "d", "a", ""}).has_value());
  EXPECT_FALSE(read_zap_question({"2.0", "7", "d", "a", "", "CURVE", kBytes}).has_value());
}

TEST(Zap, AnswersAdmitOnlyWhoHasAName) {
  const ZapQuestion question{"7", "a", "key"};
  EXPECT_THAT(zap_answer(question, "key"), ElementsAre("1.0", "7", "200", "", "key", ""));
  EXPECT_THAT(zap_answer(question, ""), ElementsAre("1.0", "7", "400", ::testing::_, "", ""));
}

}  // namespace
}  // namespace millrace::broker::test
