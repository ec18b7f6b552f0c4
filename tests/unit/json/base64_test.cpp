#include "common/json/base64.h"

#include <gtest/gtest.h>

#include <utility>

namespace millrace::json {
namespace {

std::vector<std::uint8_t> bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

TEST(Base64, TestVectorsOfRfc4648) {
  const std::vector<std::pair<std::string, std::string>> vectors = {{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(encode_base64(bytes_of(plain)), encoded);
    ASSERT_TRUE(decode_base64(encoded).has_value()) << encoded;
    EXPECT_EQ(*decode_base64(encoded), bytes_of(plain));
  }
}

TEST(Base64, EverySixBitsHaveTheirLetter) {
  std::vector<std::uint8_t> bytes;
  for (unsigned int value = 0; value < 64; value += 4) {
    bytes.push_back(static_cast<std::uint8_t>(value << 2 | (value + 1) >> 4));
    bytes.push_back(static_cast<std::uint8_t>((value + 1) << 4 | (value + 2) >> 2));
    bytes.push_back(static_cast<std::uint8_t>((value + 2) << 6 | (value + 3)));
  }
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  EXPECT_EQ(encode_base64(bytes), alphabet);
  EXPECT_EQ(decode_base64(alphabet), bytes);
}

TEST(Base64, RefusesWhatIsNotExact) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "=Zg=", "Zg==Zg==", "Zh==", "Zm9=", "Zm 9",
                           "Zm9v\n", "Zm-_", "====", "Zm{|", "Zm:@", "Zm[`"}) {
    EXPECT_FALSE(decode_base64(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace millrace::json
