// Damaged frames decode to a value or to an Error: never a crash, never a reading past the end (the
// sanitizer builds see that), and alike at every address.
#include <gtest/gtest.h>

#include "common/wire/control_codec.h"
#include "common/wire/heartbeat_codec.h"
#include "tests/unit/wire/frame_tools.h"
#include "tests/unit/wire/message_text.h"
#include "tests/unit/wire/random_messages.h"

namespace millrace::wire {
namespace {

constexpr int kMutations = 20'000;

template <class Value>
std::string outcome_of(const Result<Value>& decoded) {
  return decoded.ok() ? text_of(*decoded) : decoded.error().message;
}

// Counts how many of the damaged messages were refused.
template <class Make, class Decode>
int refused_of(std::uint64_t seed, std::size_t kinds, Make make, Decode decode) {
  Random random(seed);
  int refused = 0;
  for (int i = 0; i < kMutations; ++i) {
    const Frames frames = encode(make(random.below(kinds), random));
    const Frames other = encode(make(random.below(kinds), random));
    Frames damaged = mutated(frames, other, random);
    if (random.chance(1, 4)) damaged = mutated(damaged.empty() ? frames : damaged, other, random);
    const auto decoded = decode(damaged, PeerLimits());
    const auto again = decode(shifted(damaged, 1 + random.below(7)), PeerLimits());
    EXPECT_EQ(outcome_of(decoded), outcome_of(again));
    if (decoded.ok()) {
      EXPECT_FALSE(encode(*decoded).empty());
    } else {
      EXPECT_FALSE(decoded.error().message.empty());
      ++refused;
    }
    request_of(damaged);
  }
  return refused;
}

TEST(Mutation, ClientMessages) {
  EXPECT_GT(refused_of(11, kClientMessageKinds, random_client_message, decode_client_message),
            kMutations / 10);
}

TEST(Mutation, ClientReplies) {
  EXPECT_GT(refused_of(12, kClientReplyKinds, random_client_reply, decode_client_reply),
            kMutations / 10);
}

TEST(Mutation, WorkerMessages) {
  EXPECT_GT(refused_of(13, kWorkerMessageKinds, random_worker_message, decode_worker_message),
            kMutations / 10);
}

TEST(Mutation, WorkerReplies) {
  EXPECT_GT(refused_of(14, kWorkerReplyKinds, random_worker_reply, decode_worker_reply),
            kMutations / 10);
}

TEST(Mutation, Tasks) {
  Random random(15);
  int refused = 0;
  for (int i = 0; i < kMutations; ++i) {
    const SharedBytes bytes = encode_task(random_task(random)).bytes;
    const SharedBytes other = encode_task(random_task(random)).bytes;
    const SharedBytes damaged = shifted(mutated(bytes, other, random), random.below(8));
    const Result<TaskDescription> task = decode_task(damaged, PeerLimits());
    const Result<TaskSpec> spec = decode_task_spec(damaged, PeerLimits());
    ASSERT_EQ(task.ok(), spec.ok());
    if (task.ok()) {
      ASSERT_TRUE(check_task(*task, PeerLimits()).ok());
      ASSERT_EQ(content_hash(*task), spec->content_hash);
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, kMutations / 10);
}

TEST(Mutation, Heartbeats) {
  Random random(16);
  int refused = 0;
  for (int i = 0; i < kMutations; ++i) {
    const SharedBytes beat = encode(random_beat(random));
    const SharedBytes pulse = encode(random_pulse(random));
    const SharedBytes damaged_beat = shifted(mutated(beat, pulse, random), random.below(8));
    const SharedBytes damaged_pulse = shifted(mutated(pulse, beat, random), random.below(8));
    refused += decode_beat(damaged_beat).ok() ? 0 : 1;
    refused += decode_pulse(damaged_pulse).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, kMutations / 10);
}

TEST(Mutation, Noise) {
  Random random(17);
  for (int i = 0; i < kMutations; ++i) {
    std::vector<std::uint8_t> noise(random.below(200));
    for (std::uint8_t& byte : noise) byte = static_cast<std::uint8_t>(random.next());
    if (noise.size() >= 8 && random.chance(1, 2)) std::copy_n("MRC1", 4, noise.begin() + 4);
    const Frames frames = {SharedBytes::adopt(std::move(noise))};
    EXPECT_FALSE(decode_client_message(frames, PeerLimits()).ok());
    EXPECT_FALSE(decode_worker_reply(frames, PeerLimits()).ok());
  }
}

}  // namespace
}  // namespace millrace::wire
