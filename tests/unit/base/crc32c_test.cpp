#include "common/base/crc32c.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "common/base/random.h"

namespace millrace {
namespace {

std::span<const std::uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// RFC 3720 appendix B.4.
TEST(Crc32c, VectorsOfTheStandard) {
  EXPECT_EQ(crc32c(bytes("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c_portable(bytes("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c(std::vector<std::uint8_t>(32, 0)), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::vector<std::uint8_t>(32, 0xff)), 0x62a8ab43U);
  EXPECT_EQ(crc32c({}), 0U);
  EXPECT_EQ(crc32c_portable({}), 0U);
}

TEST(Crc32c, FastAndPortableFormsAgreeAtEveryLengthAndAddress) {
  Random random(1);
  std::vector<std::uint8_t> data(300);
  for (std::uint8_t& byte : data) byte = static_cast<std::uint8_t>(random.next());
  for (std::size_t length = 0; length <= 64; ++length) {
    for (std::size_t start = 0; start < 9; ++start) {
      const auto part = std::span<const std::uint8_t>(data).subspan(start, length);
      ASSERT_EQ(crc32c(part), crc32c_portable(part)) << start << " " << length;
    }
  }
  EXPECT_EQ(crc32c(data), crc32c_portable(data));
}

TEST(Crc32c, GoesOnFromWhatCameBefore) {
  const std::uint32_t whole = crc32c(bytes("123456789"));
  for (std::size_t cut = 0; cut <= 9; ++cut) {
    const std::string_view text = "123456789";
    const std::uint32_t first = crc32c(bytes(text.substr(0, cut)));
    EXPECT_EQ(crc32c(bytes(text.substr(cut)), first), whole);
    EXPECT_EQ(crc32c_portable(bytes(text.substr(cut)), first), whole);
  }
}

TEST(Crc32c, EveryFlippedBitShows) {
  std::vector<std::uint8_t> data(40, 0x5a);
  const std::uint32_t sound = crc32c(data);
  for (std::size_t bit = 0; bit < data.size() * 8; ++bit) {
    data[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_NE(crc32c(data), sound);
    data[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  }
}

}  // namespace
}  // namespace millrace
