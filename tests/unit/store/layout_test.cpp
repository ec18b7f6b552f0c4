#include "broker/store/layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "common/base/crc32c.h"

namespace millrace::broker {
namespace {

std::vector<std::uint8_t> sealed(TableId table, const Key& key, std::uint16_t chunks,
                                 std::string_view body) {
  std::vector<std::uint8_t> value(kValueHeaderBytes + body.size());
  std::copy(body.begin(), body.end(), value.begin() + kValueHeaderBytes);
  seal_value(table, key, chunks, value);
  return value;
}

bool sorts_before(const Key& a, const Key& b) {
  return std::lexicographical_compare(a.view().begin(), a.view().end(), b.view().begin(),
                                      b.view().end());
}

TEST(Layout, EveryFlippedBitIsNoticed) {
  const Key key = Key::of_task(TaskSequence(17));
  const std::vector<std::uint8_t> sound = sealed(TableId::specs, key, 1, "payload");
  ASSERT_TRUE(open_value(TableId::specs, key.view(), sound).ok());
  for (std::size_t bit = 0; bit < sound.size() * 8; ++bit) {
    std::vector<std::uint8_t> damaged = sound;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1U << (bit % 8)));
    const Result<OpenedValue> opened = open_value(TableId::specs, key.view(), damaged);
    ASSERT_FALSE(opened.ok()) << "bit " << bit;
    EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
    EXPECT_NE(opened.error().message.find("specs/17"), std::string::npos);
  }
}

TEST(Layout, EveryTruncationIsNoticed) {
  const Key key = Key::of_task(TaskSequence(1));
  std::vector<std::uint8_t> value = sealed(TableId::results, key, 1, "body");
  while (!value.empty()) {
    value.pop_back();
    EXPECT_FALSE(open_value(TableId::results, key.view(), value).ok()) << value.size();
  }
}

TEST(Layout, SoundValueInTheWrongPlaceIsNoticed) {
  const Key key = Key::of_task(TaskSequence(1));
  const std::vector<std::uint8_t> value = sealed(TableId::specs, key, 2, "body");
  EXPECT_FALSE(open_value(TableId::specs, Key::of_task(TaskSequence(2)).view(), value).ok());
  EXPECT_FALSE(open_value(TableId::specs, key.at_chunk(1).view(), value).ok());
  EXPECT_FALSE(open_value(TableId::results, key.view(), value).ok());
  EXPECT_EQ(open_value(TableId::specs, key.view(), value)->chunks, 2);
}

TEST(Layout, UnknownRecordVersionIsNotRead) {
  const Key key = Key::of_meta(kMetaEpoch);
  std::vector<std::uint8_t> value = sealed(TableId::meta, key, 1, "12345678");
  value[4] = kRecordVersion + 1;
  EXPECT_FALSE(open_value(TableId::meta, key.view(), value).ok());
  // Sealed by a broker that knows it.
  std::uint32_t sum = crc32c(std::span(value).subspan(4), crc32c(key.view()));
  for (std::size_t i = 0; i < 4; ++i, sum >>= 8) value[i] = static_cast<std::uint8_t>(sum);
  const Result<OpenedValue> opened = open_value(TableId::meta, key.view(), value);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message.find("unknown record version 2"), std::string::npos);
}

TEST(Layout, ValueOfNoChunksIsNotRead) {
  const Key key = Key::of_meta(kMetaEpoch);
  EXPECT_FALSE(
      open_value(TableId::meta, key.view(), sealed(TableId::meta, key, 0, "12345678")).ok());
}

TEST(Layout, KeysSortByNumber) {
  const std::vector<std::uint64_t> rising = {1, 2, 255, 256, 65'535, 65'536, 1ULL << 40, ~0ULL};
  for (std::size_t i = 1; i < rising.size(); ++i) {
    EXPECT_TRUE(sorts_before(Key::of_task(TaskSequence(rising[i - 1])),
                             Key::of_task(TaskSequence(rising[i]))));
    EXPECT_EQ(sequence_of_key(Key::of_task(TaskSequence(rising[i])).view()).value, rising[i]);
  }
  const Key first = Key::of_attempt(TaskSequence(1), 1);
  EXPECT_TRUE(sorts_before(first, first.at_chunk(1)));
  EXPECT_TRUE(sorts_before(first.at_chunk(65'535), Key::of_attempt(TaskSequence(1), 2)));
  EXPECT_TRUE(
      sorts_before(Key::of_task(TaskSequence(1)).at_chunk(65'535), Key::of_task(TaskSequence(2))));
}

TEST(Layout, KeyOfAnotherLengthIsOfNothing) {
  const std::array<std::uint8_t, 5> key = {1, 2, 3, 4, 5};
  EXPECT_TRUE(sequence_of_key(key).is_none());
  EXPECT_TRUE(entry_of_key(key).is_none());
  EXPECT_TRUE(queue_of_key(key).is_none());
  EXPECT_EQ(queue_of_key(std::span(key).first(4)), QueueNumber(0x0102'0304));
}

TEST(Layout, NamesAreForPeople) {
  EXPECT_EQ(text_of(TableId::meta, Key::of_meta(kMetaEpoch).view()), "meta/epoch");
  EXPECT_EQ(text_of(TableId::queues, Key::of_queue(QueueNumber(3)).view()), "queues/3");
  EXPECT_EQ(text_of(TableId::attempts, Key::of_attempt(TaskSequence(9), 2).view()), "attempts/9/2");
  EXPECT_EQ(text_of(TableId::meta, Key::of_meta("\ne\xff").view()), "meta/?e?");
}

TEST(Layout, ChunksCoverTheBody) {
  EXPECT_EQ(chunks_for(0), 1);
  EXPECT_EQ(chunks_for(kChunkBodyBytes), 1);
  EXPECT_EQ(chunks_for(kChunkBodyBytes + 1), 2);
  EXPECT_EQ(chunks_for(kChunkBodyBytes * kChunksMost), kChunksMost);
}

}  // namespace
}  // namespace millrace::broker
