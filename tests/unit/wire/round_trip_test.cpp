// Every message comes back as it was sent, also from misaligned memory.
#include <gtest/gtest.h>

#include "common/wire/control_codec.h"
#include "common/wire/heartbeat_codec.h"
#include "tests/unit/wire/frame_tools.h"
#include "tests/unit/wire/message_text.h"
#include "tests/unit/wire/random_messages.h"

namespace millrace::wire {
namespace {

constexpr int kRoundsEach = 200;

template <class Message, class Decode>
void expect_round_trip(const Message& message, Decode decode) {
  const Frames frames = encode(message);
  for (const std::size_t shift : {0U, 1U, 4U, 7U}) {
    const Result<Message> decoded = decode(shifted(frames, shift), PeerLimits());
    ASSERT_TRUE(decoded.ok()) << decoded.error().message << "\n" << text_of(message);
    ASSERT_EQ(decoded->index(), message.index());
    ASSERT_EQ(text_of(*decoded), text_of(message)) << "shifted by " << shift;
  }
}

TEST(RoundTrip, ClientMessages) {
  Random random(1);
  for (std::size_t kind = 0; kind < kClientMessageKinds; ++kind) {
    for (int i = 0; i < kRoundsEach; ++i) {
      const ClientMessage message = random_client_message(kind, random);
      ASSERT_EQ(message.index(), kind);
      expect_round_trip(message, decode_client_message);
    }
  }
}

TEST(RoundTrip, ClientReplies) {
  Random random(2);
  for (std::size_t kind = 0; kind < kClientReplyKinds; ++kind) {
    for (int i = 0; i < kRoundsEach; ++i) {
      const ClientReply reply = random_client_reply(kind, random);
      ASSERT_EQ(reply.index(), kind);
      expect_round_trip(reply, decode_client_reply);
    }
  }
}

TEST(RoundTrip, WorkerMessages) {
  Random random(3);
  for (std::size_t kind = 0; kind < kWorkerMessageKinds; ++kind) {
    for (int i = 0; i < kRoundsEach; ++i) {
      const WorkerMessage message = random_worker_message(kind, random);
      ASSERT_EQ(message.index(), kind);
      expect_round_trip(message, decode_worker_message);
    }
  }
}

TEST(RoundTrip, WorkerReplies) {
  Random random(4);
  for (std::size_t kind = 0; kind < kWorkerReplyKinds; ++kind) {
    for (int i = 0; i < kRoundsEach; ++i) {
      const WorkerReply reply = random_worker_reply(kind, random);
      ASSERT_EQ(reply.index(), kind);
      expect_round_trip(reply, decode_worker_reply);
    }
  }
}

TEST(RoundTrip, Heartbeats) {
  Random random(5);
  for (int i = 0; i < kRoundsEach; ++i) {
    const Beat beat = random_beat(random);
    const Pulse pulse = random_pulse(random);
    for (const std::size_t shift : {0U, 3U}) {
      const Result<Beat> beat_decoded = decode_beat(shifted(encode(beat), shift));
      const Result<Pulse> pulse_decoded = decode_pulse(shifted(encode(pulse), shift));
      ASSERT_TRUE(beat_decoded.ok() && pulse_decoded.ok());
      ASSERT_EQ(text_of(*beat_decoded), text_of(beat));
      ASSERT_EQ(text_of(*pulse_decoded), text_of(pulse));
    }
  }
}

TEST(RoundTrip, OneDirectionIsNotTakenForAnother) {
  Random random(6);
  for (std::size_t kind = 0; kind < kClientMessageKinds; ++kind) {
    const Frames frames = encode(random_client_message(kind, random));
    const Result<WorkerMessage> decoded = decode_worker_message(frames, PeerLimits());
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().code, ErrorCode::unsupported);
  }
  EXPECT_FALSE(decode_beat(encode(random_pulse(random))).ok());
  EXPECT_FALSE(decode_pulse(encode(random_beat(random))).ok());
}

TEST(RoundTrip, SpecsAreSlicesOfTheBundle) {
  Random random(7);
  Submit submit;
  submit.request = RequestId(1);
  for (int i = 0; i < 3; ++i) submit.tasks.push_back({encode_task(random_task(random)), {}});
  const Frames frames = encode(ClientMessage(submit));
  ASSERT_EQ(frames.size(), 2U);
  const Result<ClientMessage> decoded = decode_client_message(frames, PeerLimits());
  ASSERT_TRUE(decoded.ok());
  for (const SubmitItem& item : std::get<Submit>(*decoded).tasks) {
    EXPECT_GE(item.spec.bytes.data(), frames[1].data());
    EXPECT_LE(item.spec.bytes.data() + item.spec.bytes.size(), frames[1].data() + frames[1].size());
  }
}

}  // namespace
}  // namespace millrace::wire
