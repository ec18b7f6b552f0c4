// Frames written by another implementation: the Python library, following docs/protocol.md. They
// are kept as bytes, so that they also tell when an old peer would not be understood any more.
#include <gtest/gtest.h>

#include <string_view>

#include "common/wire/control_codec.h"
#include "common/wire/heartbeat_codec.h"
#include "common/wire/task_codec.h"

namespace millrace::wire {
namespace {

constexpr std::string_view kSubmit0 =
    "140000004d5243310c001c001a000c000b0004000c0000002000000000000002090000000000000000000000"
    "0000010008000c0008000700080000000000000104000000020000009000000068000000";
constexpr std::string_view kSubmit1 =
    "240000004d5254310000000018002c0004002800240020001f00000000000000000014001800000077665544"
    "33221100010000000000000080b2e60e00000000000000072000000014000000040000000400000064656d6f"
    "00000000030000006f6e6500010000000c00000008000c000800040008000000080000000c00000001000000"
    "620000000100000061000000240000004d525431000000001800300004002c00280024002300000000000000"
    "00001400180000007766554433221100020000000000000080b2e60e0000000000000000000000071c000000"
    "1400000004000000050000006f746865720000000000000000000000";
constexpr std::string_view kComplete0 =
    "140000004d5243310c000c000a000000090004000c00000014000000001a01000c001800140010000c000400"
    "0c0000000300000000000000050000006c000000040000000200000077665544332211000100000000000000"
    "0a00000000000000e80300000000000007000000000000000100000000000000776655443322110002000000"
    "000000000b00000000000000e903000000000000000000000300000002000000000000000300000073616400";
constexpr std::string_view kComplete1 = "726573756c7421";
constexpr std::string_view kBeat0 =
    "180000004d52423100000e0030002e0018001000080004000e000000020000000400000000000000ffffffff"
    "ffffffff010000000000000002000000000000000000000000000100";

SharedBytes from_hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(digit(text[i]) * 16 + digit(text[i + 1])));
  }
  return SharedBytes::adopt(std::move(bytes));
}

TEST(OtherWriter, Submit) {
  const auto decoded =
      decode_client_message({from_hex(kSubmit0), from_hex(kSubmit1)}, PeerLimits());
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  const Submit& submit = std::get<Submit>(*decoded);
  EXPECT_EQ(submit.request, RequestId(9));
  EXPECT_TRUE(submit.watch);
  ASSERT_EQ(submit.tasks.size(), 2U);
  ASSERT_FALSE(submit.tasks[0].problem.has_value());
  ASSERT_FALSE(submit.tasks[1].problem.has_value());
  const TaskSpec& first = submit.tasks[0].spec;
  EXPECT_EQ(to_text(first.id), "00112233-4455-6677-0000-000000000001");
  EXPECT_EQ(first.queue, "demo");
  EXPECT_EQ(first.priority, 7);
  EXPECT_EQ(first.max_attempts, 3);
  EXPECT_EQ(first.timeout, Duration::milliseconds(250));
  EXPECT_EQ(first.retention, Duration::nanoseconds(-1));
  EXPECT_EQ(first.backoff, Backoff());
  const auto task = decode_task(first.bytes, PeerLimits());
  ASSERT_TRUE(task.ok());
  EXPECT_EQ(task->payload.text(), "one");
  ASSERT_EQ(task->headers.size(), 1U);
  EXPECT_EQ(task->headers[0].first, "a");
  EXPECT_EQ(task->headers[0].second, "b");
  // Another layout of the same task is the same task.
  EXPECT_EQ(encode_task(*task).content_hash, first.content_hash);
  EXPECT_EQ(submit.tasks[1].spec.queue, "other");
  EXPECT_EQ(submit.tasks[1].spec.payload_bytes, ByteCount(0));
}

TEST(OtherWriter, Complete) {
  const auto decoded =
      decode_worker_message({from_hex(kComplete0), from_hex(kComplete1)}, PeerLimits());
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  const Complete& complete = std::get<Complete>(*decoded);
  EXPECT_EQ(complete.credit, 5U);
  EXPECT_EQ(complete.answers_recall, 3U);
  ASSERT_EQ(complete.items.size(), 2U);
  EXPECT_EQ(complete.items[0].fence, Fence(10));
  EXPECT_EQ(complete.items[0].outcome, Outcome::succeeded);
  EXPECT_EQ(complete.items[0].result.text(), "result!");
  EXPECT_EQ(complete.items[0].elapsed, Duration::nanoseconds(1'000));
  EXPECT_EQ(to_text(complete.items[1].task), "00112233-4455-6677-0000-000000000002");
  EXPECT_EQ(complete.items[1].outcome, Outcome::failed);
  EXPECT_EQ(complete.items[1].error, "sad");
}

TEST(OtherWriter, Beat) {
  const Result<Beat> beat = decode_beat(from_hex(kBeat0));
  ASSERT_TRUE(beat.ok()) << beat.error().message;
  EXPECT_EQ(to_text(beat->worker), "00000000-0000-0001-0000-000000000002");
  EXPECT_EQ(beat->session, SessionNonce(~std::uint64_t{0}));
  EXPECT_EQ(beat->number, 4U);
  EXPECT_EQ(beat->running, 2U);
  EXPECT_EQ(beat->queued, 0U);
}

}  // namespace
}  // namespace millrace::wire
