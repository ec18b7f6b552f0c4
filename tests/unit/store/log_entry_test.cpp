#include "broker/store/log_entry.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "common/base/crc32c.h"

namespace millrace::broker {
namespace {

constexpr std::size_t kEntryBytesMost = 4'080;

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
LogRecord record(RecordKind kind, std::uint64_t sequence, std::string_view body) {
  return make_record(kind, TaskSequence(sequence), bytes_of(body));
}
std::vector<std::uint8_t> finish(LogEntryBuilder& builder, std::uint64_t number) {
  std::vector<std::uint8_t> entry(builder.size());
  builder.finish(EntryNumber(number), Epoch(3), BatchNumber(9), entry);
  return entry;
}
std::vector<std::uint8_t> sample(std::uint64_t number) {
  LogEntryBuilder builder(kEntryBytesMost);
  EXPECT_TRUE(builder.add(record(RecordKind::task, 17, "a task record")));
  EXPECT_TRUE(builder.add(record(RecordKind::spec, 17, "a spec")));
  EXPECT_TRUE(builder.add(record(RecordKind::erase_task, 4, "")));
  return finish(builder, number);
}

TEST(LogEntry, RecordsComeBackInOrder) {
  const std::vector<std::uint8_t> bytes = sample(5);
  const Result<LogEntryView> entry = LogEntryView::open(EntryNumber(5), bytes);
  ASSERT_TRUE(entry.ok()) << entry.error().message;
  EXPECT_EQ(entry->records(), 3);
  EXPECT_EQ(entry->epoch(), Epoch(3));
  EXPECT_EQ(entry->batch(), BatchNumber(9));
  std::string seen;
  entry->for_each([&](const LogRecord& one) {
    EXPECT_TRUE(is_intact(one));
    seen += std::to_string(static_cast<int>(one.kind)) + ":" + std::to_string(one.sequence.value);
    seen.append("=").append(one.body.begin(), one.body.end()).append(" ");
  });
  EXPECT_EQ(seen, "1:17=a task record 2:17=a spec 6:4= ");
}

TEST(LogEntry, EveryFlippedBitIsNoticed) {
  const std::vector<std::uint8_t> sound = sample(5);
  for (std::size_t bit = 0; bit < sound.size() * 8; ++bit) {
    std::vector<std::uint8_t> damaged = sound;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1U << (bit % 8)));
    const Result<LogEntryView> entry = LogEntryView::open(EntryNumber(5), damaged);
    if (!entry.ok()) {
      EXPECT_EQ(entry.error().code, ErrorCode::corrupt);
      EXPECT_NE(entry.error().message.find("log entry 5 "), std::string::npos);
      continue;
    }
    int broken = 0;
    entry->for_each([&](const LogRecord& one) { broken += is_intact(one) ? 0 : 1; });
    ASSERT_EQ(broken, 1) << "bit " << bit;
  }
}

TEST(LogEntry, EveryTruncationIsNoticed) {
  const std::vector<std::uint8_t> sound = sample(5);
  for (std::size_t size = 0; size < sound.size(); ++size) {
    const std::vector<std::uint8_t> cut(sound.begin(), sound.begin() + static_cast<long>(size));
    EXPECT_FALSE(LogEntryView::open(EntryNumber(5), cut).ok()) << size;
  }
  std::vector<std::uint8_t> longer = sound;
  longer.push_back(0);
  EXPECT_FALSE(LogEntryView::open(EntryNumber(5), longer).ok());
}

TEST(LogEntry, SoundEntryInTheWrongPlaceIsNoticed) {
  EXPECT_FALSE(LogEntryView::open(EntryNumber(6), sample(5)).ok());
}

// As another writer would seal it: the checksum of the directory fits.
std::string problem_of_sealed(std::vector<std::uint8_t> bytes, std::size_t head_bytes) {
  const std::array<std::uint8_t, 8> number = {5};
  std::uint32_t sum = crc32c(std::span(bytes).subspan(4, head_bytes - 4), crc32c(number));
  for (std::size_t i = 0; i < 4; ++i, sum >>= 8) bytes[i] = static_cast<std::uint8_t>(sum);
  const Result<LogEntryView> entry = LogEntryView::open(EntryNumber(5), bytes);
  return entry.ok() ? "" : entry.error().message;
}

TEST(LogEntry, UnknownVersionsAndKindsAreNotRead) {
  constexpr std::size_t kHeadBytes = kEntryHeaderBytes + 3 * kDirectoryBytes;
  EXPECT_EQ(problem_of_sealed(sample(5), kHeadBytes), "");
  struct Change {
    std::size_t at;
    std::uint8_t to;
    const char* words;
  };
  for (const Change& change : {Change{4, 2, "an unknown version"},
                               Change{kEntryHeaderBytes + 14, 0, "a record of an unknown kind"},
                               Change{kEntryHeaderBytes + 14, kRecordKindLast + 1, "unknown kind"},
                               Change{kEntryHeaderBytes + 15, 2, "a record of an unknown kind"},
                               Change{kEntryHeaderBytes + 12, 1, "another length than its"}}) {
    std::vector<std::uint8_t> bytes = sample(5);
    bytes[change.at] = change.to;
    const std::string problem = problem_of_sealed(bytes, kHeadBytes);
    EXPECT_NE(problem.find(change.words), std::string::npos) << problem;
  }
}

TEST(LogEntry, EntryOfNoRecordsIsNotRead) {
  EXPECT_NE(problem_of_sealed(std::vector<std::uint8_t>(kEntryHeaderBytes), kEntryHeaderBytes)
                .find("is empty"),
            std::string::npos);
}

TEST(LogEntry, FullEntryTakesNoMoreAndTheNextBeginsEmpty) {
  LogEntryBuilder builder(kEntryBytesMost);
  const std::string body(128, 'b');
  std::uint64_t added = 0;
  while (builder.add(record(RecordKind::task, added + 1, body))) ++added;
  EXPECT_EQ(added, (kEntryBytesMost - kEntryHeaderBytes) / (kDirectoryBytes + body.size()));
  EXPECT_EQ(builder.records(), added);
  EXPECT_LE(builder.size(), kEntryBytesMost);
  const std::vector<std::uint8_t> bytes = finish(builder, 1);
  EXPECT_EQ(LogEntryView::open(EntryNumber(1), bytes)->records(), added);
  EXPECT_TRUE(builder.empty());
  EXPECT_TRUE(builder.add(record(RecordKind::task, 1, body)));
  EXPECT_EQ(builder.records(), 1);
}

TEST(LogEntry, NewestOfAnEntryIsFound) {
  LogEntryBuilder builder(kEntryBytesMost);
  builder.add(record(RecordKind::task, 1, "old"));
  builder.add(record(RecordKind::spec, 1, "spec"));
  builder.add(record(RecordKind::task, 2, "other"));
  builder.add(record(RecordKind::task, 1, "new"));
  builder.add(record(RecordKind::result_apart, 1, ""));
  const std::vector<std::uint8_t> bytes = finish(builder, 1);
  const Result<LogEntryView> entry = LogEntryView::open(EntryNumber(1), bytes);
  const auto task = entry->find(LogPart::task, TaskSequence(1));
  ASSERT_TRUE(task.has_value());
  EXPECT_EQ(std::string(task->body.begin(), task->body.end()), "new");
  EXPECT_EQ(entry->find(LogPart::result, TaskSequence(1))->kind, RecordKind::result_apart);
  EXPECT_FALSE(entry->find(LogPart::spec, TaskSequence(2)).has_value());
}

// What is carried forward keeps the checksum it was born with.
TEST(LogEntry, DamageStaysVisibleWhenItIsCarried) {
  LogRecord damaged = record(RecordKind::task, 1, "body");
  damaged.body = bytes_of("bodx");
  LogEntryBuilder builder(kEntryBytesMost);
  builder.add(damaged);
  const std::vector<std::uint8_t> bytes = finish(builder, 1);
  const Result<LogEntryView> entry = LogEntryView::open(EntryNumber(1), bytes);
  EXPECT_FALSE(is_intact(*entry->find(LogPart::task, TaskSequence(1))));
}

}  // namespace
}  // namespace millrace::broker
