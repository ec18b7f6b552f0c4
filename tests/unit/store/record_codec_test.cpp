#include "broker/store/record_codec.h"

#include <gtest/gtest.h>

#include "schemas/record_generated.h"
#include "tests/conformance/store_values.h"

namespace millrace::broker {
namespace {

TEST(RecordCodec, TaskComesBackWhole) {
  for (std::uint64_t sequence = 1; sequence < 500; ++sequence) {
    const TaskRecord task = testing::make_task(sequence);
    EXPECT_EQ(decode_task(task.sequence, TaskBody(task).view()), task);
  }
}

TEST(RecordCodec, TaskOfAnotherSizeIsRefused) {
  TaskRecord task = testing::make_task(1);
  task.last_worker = SharedBytes();
  const TaskBody body(task);
  EXPECT_FALSE(decode_task(TaskSequence(1), body.view().first(body.view().size() - 1)));
  EXPECT_FALSE(decode_task(TaskSequence(1), {}));
  const std::vector<std::uint8_t> long_body(kTaskBodyBytes + kTaskNameBytesMost + 1, 1);
  EXPECT_FALSE(decode_task(TaskSequence(1), long_body));
}

TEST(RecordCodec, TaskOfFormat2HasNoWorker) {
  TaskRecord task = testing::make_task(1);
  task.state = TaskState::succeeded;
  const auto read = decode_task(task.sequence, TaskBody(task).view().first(kTaskBodyBytes));
  task.last_worker = SharedBytes();
  EXPECT_EQ(read, task);
}

// A checksum vouches for the bytes, not for the one who wrote them.
TEST(RecordCodec, TaskWithAFieldOutOfRangeIsRefused) {
  TaskRecord task = testing::make_task(1);
  task.state = static_cast<TaskState>(0);
  EXPECT_FALSE(decode_task(task.sequence, TaskBody(task).view()));
  task.state = static_cast<TaskState>(8);
  EXPECT_FALSE(decode_task(task.sequence, TaskBody(task).view()));
  task = testing::make_task(1);
  task.reason = static_cast<Reason>(8);
  EXPECT_FALSE(decode_task(task.sequence, TaskBody(task).view()));
  task = testing::make_task(1);
  task.priority = kPriorityHighest + 1;
  EXPECT_FALSE(decode_task(task.sequence, TaskBody(task).view()));
}

TEST(RecordCodec, TotalsComeBackWhole) {
  const Totals totals = testing::make_totals(3);
  const auto body = encode_totals(totals);
  EXPECT_EQ(decode_totals(body), totals);
  EXPECT_FALSE(decode_totals(std::span(body).first(80)));
}

TEST(RecordCodec, AttemptComesBackWhole) {
  for (const std::size_t error_bytes : {0U, 1U, 4'096U}) {
    const AttemptRecord attempt = testing::make_attempt(2, error_bytes);
    EXPECT_EQ(decode_attempt(encode_attempt(attempt)), attempt);
  }
}

// Its last bytes are padding; without them it is still whole.
TEST(RecordCodec, AttemptCutAnywhereIsRefusedOrWhole) {
  const AttemptRecord attempt = testing::make_attempt(2);
  const std::vector<std::uint8_t> body = encode_attempt(attempt);
  for (std::size_t size = 0; size < body.size(); ++size) {
    // A buffer of its own, so that a read past the end is seen by the sanitizer.
    const std::vector<std::uint8_t> cut(body.begin(), body.begin() + static_cast<long>(size));
    const std::optional<AttemptRecord> decoded = decode_attempt(cut);
    EXPECT_TRUE(!decoded.has_value() || *decoded == attempt) << size;
    EXPECT_FALSE(decoded.has_value() && size + 4 <= body.size()) << size;
  }
}

TEST(RecordCodec, QueueComesBackWhole) {
  const PutQueue queue{QueueNumber(4), std::string(128, 'q'), true};
  const std::optional<StoredQueue> decoded = decode_queue(queue.queue, encode_queue(queue));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->name, queue.name);
  EXPECT_TRUE(decoded->paused);
  EXPECT_EQ(decoded->queue, queue.queue);
  EXPECT_FALSE(decode_queue(queue.queue, {}));
  EXPECT_FALSE(decode_queue(queue.queue, std::vector<std::uint8_t>{2, 'q'}));
}

TEST(RecordCodec, AttemptWithAnUnknownReasonIsRefused) {
  AttemptRecord attempt = testing::make_attempt(1);
  attempt.reason = static_cast<Reason>(200);
  EXPECT_FALSE(decode_attempt(encode_attempt(attempt)).has_value());
}

TEST(RecordCodec, AttemptWithoutTextsHasEmptyOnes) {
  flatbuffers::FlatBufferBuilder builder;
  record::AttemptBuilder attempt(builder);
  attempt.add_attempt(3);
  record::FinishAttemptBuffer(builder, attempt.Finish());
  const auto read = decode_attempt({builder.GetBufferPointer(), builder.GetSize()});
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->attempt, 3);
  EXPECT_EQ(read->worker, "");
  EXPECT_EQ(read->error, "");
}

TEST(RecordCodec, NumberComesBackAndHasEightBytes) {
  const auto body = encode_number(0x0123'4567'89ab'cdefU);
  EXPECT_EQ(decode_number(body), 0x0123'4567'89ab'cdefU);
  EXPECT_FALSE(decode_number(std::span(body).first(7)).has_value());
}

}  // namespace
}  // namespace millrace::broker
