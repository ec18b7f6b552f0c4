#include "common/wire/task_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "common/wire/flatbuffer_bytes.h"
#include "schemas/task_generated.h"
#include "tests/unit/wire/message_text.h"
#include "tests/unit/wire/random_messages.h"

namespace millrace::wire {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;

PeerLimits small_limits() {
  PeerLimits limits;
  limits.payload_bytes_max = ByteCount(100);
  limits.headers_bytes_max = ByteCount(400);
  limits.queue_name_bytes_max = 8;
  return limits;
}

TaskDescription valid_task() {
  Random random(1);
  TaskDescription task;
  task.id = make_random_id<TaskId>(random);
  task.queue = "demo";
  return task;
}

// What sender and receiver say of the task changed by `change`; they must agree.
std::string verdict(const std::function<void(TaskDescription&)>& change) {
  TaskDescription task = valid_task();
  change(task);
  const Status sender = check_task(task, small_limits());
  const SharedBytes bytes = encode_task(task).bytes;
  const Result<TaskSpec> broker = decode_task_spec(bytes, small_limits());
  const Result<TaskDescription> worker = decode_task(bytes, small_limits());
  EXPECT_EQ(sender.ok(), broker.ok());
  EXPECT_EQ(sender.ok(), worker.ok());
  if (sender.ok()) return "ok";
  EXPECT_EQ(sender.error(), broker.error());
  EXPECT_EQ(sender.error(), worker.error());
  return std::string(name_of(sender.error().code)) + ": " + sender.error().message;
}

TEST(TaskRules, IdMustNotBeNil) {
  EXPECT_THAT(verdict([](auto& task) { task.id = TaskId(); }), HasSubstr("invalid: id"));
}

TEST(TaskRules, QueueNames) {
  for (const std::string& name : {"a"s, "12345678"s, "A.b_:/-"s, "z9"s}) {
    EXPECT_EQ(verdict([&](auto& task) { task.queue = name; }), "ok") << name;
  }
  for (const std::string& name : {""s, "123456789"s, "a b"s, "a\n"s, "\xc3\xa9"s, "a*"s, "a\0"s}) {
    EXPECT_THAT(verdict([&](auto& task) { task.queue = name; }), HasSubstr("invalid: queue"));
  }
}

TEST(TaskRules, PayloadAtTheLimitAndOnePast) {
  const auto with = [](std::size_t size) {
    return verdict(
        [size](auto& task) { task.payload = SharedBytes::copy_of(std::string(size, 'x')); });
  };
  EXPECT_EQ(with(0), "ok");
  EXPECT_EQ(with(100), "ok");
  EXPECT_THAT(with(101), HasSubstr("too_large: payload is 101"));
}

TEST(TaskRules, HeadersAtTheLimitAndOnePast) {
  const auto with_bytes = [](std::size_t size) {
    return verdict([size](auto& task) { task.headers = {{"key", std::string(size - 3, 'v')}}; });
  };
  EXPECT_EQ(with_bytes(400), "ok");
  EXPECT_THAT(with_bytes(401), HasSubstr("too_large: headers"));
  const auto with_count = [](std::size_t count) {
    return verdict([count](auto& task) { task.headers.assign(count, {"k", ""}); });
  };
  EXPECT_EQ(with_count(kHeadersMost), "ok");
}

TEST(TaskRules, OneHeaderTooMany) {
  TaskDescription task = valid_task();
  task.headers.assign(kHeadersMost + 1, {"k", ""});
  EXPECT_EQ(check_task(task, small_limits()).error().code, ErrorCode::too_large);
  // The receiver's verifier stops counting before the rules come to speak.
  EXPECT_FALSE(decode_task_spec(encode_task(task).bytes, small_limits()).ok());
}

TEST(TaskRules, HeaderKeysAndValues) {
  const auto with = [](const std::string& key, const std::string& value) {
    return verdict([&](auto& task) { task.headers = {{key, value}}; });
  };
  EXPECT_EQ(with("traceparent", ""), "ok");
  EXPECT_EQ(with("k", "line\nline\t\xe2\x82\xac"), "ok");
  EXPECT_EQ(with(std::string(128, 'k'), "v"), "ok");
  EXPECT_THAT(with(std::string(129, 'k'), "v"), HasSubstr("invalid: header key is 129"));
  EXPECT_THAT(with("", "v"), HasSubstr("invalid: header key"));
  EXPECT_THAT(with("a\n", "v"), HasSubstr("control characters"));
  EXPECT_THAT(with("\xff", "v"), HasSubstr("UTF-8"));
  EXPECT_THAT(with("k", "\xff"), HasSubstr("'k'"));
  EXPECT_THAT(with("k", "a\0b"s), HasSubstr("NUL"));
}

TEST(TaskRules, Numbers) {
  const auto priority = [](int value) {
    return verdict([value](auto& task) { task.priority = static_cast<std::uint8_t>(value); });
  };
  const auto attempts = [](int value) {
    return verdict([value](auto& task) { task.max_attempts = static_cast<std::uint16_t>(value); });
  };
  EXPECT_EQ(priority(0), "ok");
  EXPECT_EQ(priority(9), "ok");
  EXPECT_THAT(priority(10), HasSubstr("invalid: priority is 10"));
  EXPECT_THAT(attempts(0), HasSubstr("invalid: max_attempts is 0"));
  EXPECT_EQ(attempts(1), "ok");
  EXPECT_EQ(attempts(1'000), "ok");
  EXPECT_THAT(attempts(1'001), HasSubstr("invalid: max_attempts is 1001"));
}

TEST(TaskRules, DurationsAtTheLimitAndOnePast) {
  const Duration most = Duration::days(3'650);
  const Duration step = Duration::nanoseconds(1);
  const std::vector<std::pair<const char*, Duration TaskDescription::*>> fields = {
      {"delay", &TaskDescription::delay},
      {"ttl", &TaskDescription::ttl},
      {"timeout", &TaskDescription::timeout},
      {"retention", &TaskDescription::retention}};
  for (const auto& field : fields) {
    const auto with = [&](Duration value) {
      return verdict([&](auto& task) { task.*field.second = value; });
    };
    EXPECT_EQ(with(Duration()), "ok");
    EXPECT_EQ(with(most), "ok");
    EXPECT_THAT(with(most + step), HasSubstr("invalid: "s + field.first));
    if (field.first != "retention"s) {
      EXPECT_THAT(with(Duration() - step), HasSubstr("invalid: "s + field.first));
    }
  }
}

TEST(TaskRules, TimeoutIsNotTooShort) {
  const auto with = [](Duration value) {
    return verdict([value](auto& task) { task.timeout = value; });
  };
  EXPECT_EQ(with(Duration::milliseconds(100)), "ok");
  EXPECT_THAT(with(Duration::nanoseconds(99'999'999)), HasSubstr("invalid: timeout"));
}

TEST(TaskRules, NotBefore) {
  const auto with = [](Time value) {
    return verdict([value](auto& task) { task.not_before = value; });
  };
  EXPECT_EQ(with(kNotBeforeLatest), "ok");
  EXPECT_EQ(to_rfc3339(kNotBeforeLatest), "2200-01-01T00:00:00.000Z");
  EXPECT_THAT(with(kNotBeforeLatest + Duration::nanoseconds(1)), HasSubstr("invalid: not_before"));
  EXPECT_THAT(with(Time() - Duration::nanoseconds(1)), HasSubstr("invalid: not_before"));
  EXPECT_THAT(with(Time::never()), HasSubstr("invalid: not_before"));
}

TEST(TaskRules, Backoff) {
  const auto with = [](Duration initial, Duration max) {
    return verdict([&](auto& task) { task.backoff = {initial, max}; });
  };
  const Duration day = Duration::days(1);
  EXPECT_EQ(with(Duration(), Duration()), "ok");
  EXPECT_EQ(with(day, day), "ok");
  EXPECT_THAT(with(day, day + Duration::nanoseconds(1)), HasSubstr("invalid: backoff max"));
  EXPECT_THAT(with(Duration::seconds(2), Duration::seconds(1)), HasSubstr("backoff initial"));
  EXPECT_THAT(with(Duration::seconds(-1), Duration::seconds(1)), HasSubstr("backoff initial"));
}

TEST(TaskCodec, RoundTrip) {
  Random random(2);
  for (int i = 0; i < 1'000; ++i) {
    const TaskDescription task = random_task(random);
    const TaskSpec sent = encode_task(task);
    const Result<TaskSpec> spec = decode_task_spec(sent.bytes, PeerLimits());
    const Result<TaskDescription> read = decode_task(sent.bytes, PeerLimits());
    ASSERT_TRUE(spec.ok() && read.ok());
    ASSERT_EQ(text_of(*spec), text_of(sent));
    ASSERT_EQ(text_of(*read), text_of(task));
  }
}

TEST(TaskCodec, EveryNegativeRetentionIsTheDefault) {
  TaskDescription task = valid_task();
  const std::uint64_t hash = content_hash(task);
  task.retention = Duration::seconds(-5);
  EXPECT_EQ(content_hash(task), hash);
  EXPECT_EQ(decode_task(encode_task(task).bytes, PeerLimits())->retention,
            Duration::nanoseconds(-1));
}

TEST(TaskCodec, FieldsLeftOutHaveTheDefaults) {
  flatbuffers::FlatBufferBuilder builder;
  const auto queue = builder.CreateString("demo");
  const schema::Uuid id(1, 2);
  schema::TaskSpecBuilder spec(builder);
  spec.add_id(&id);
  spec.add_queue(queue);
  schema::FinishTaskSpecBuffer(builder, spec.Finish());
  const Result<TaskDescription> read = decode_task(release(builder), PeerLimits());
  ASSERT_TRUE(read.ok()) << read.error().message;
  TaskDescription expected;
  expected.id = *parse_id<TaskId>("00000000-0000-0001-0000-000000000002");
  expected.queue = "demo";
  EXPECT_EQ(text_of(*read), text_of(expected));
}

TEST(TaskCodec, HashTellsEveryFieldApartButNotTheId) {
  const TaskDescription base = valid_task();
  const std::uint64_t hash = content_hash(base);
  TaskDescription other_id = base;
  other_id.id.bytes[15] ^= 1;
  EXPECT_EQ(content_hash(other_id), hash);
  const std::vector<std::function<void(TaskDescription&)>> changes = {
      [](auto& task) { task.queue = "demp"; },
      [](auto& task) { task.payload = SharedBytes::copy_of(std::string_view("x")); },
      [](auto& task) {
        task.headers = {{"a", "b"}};
      },
      [](auto& task) {
        task.headers = {{"ab", ""}};
      },
      [](auto& task) {
        task.headers = {{"", "ab"}};
      },
      [](auto& task) {
        task.headers = {{"a", "b"}, {"c", "d"}};
      },
      [](auto& task) { task.priority = 5; },
      [](auto& task) { task.max_attempts = 4; },
      [](auto& task) { task.delay = Duration::nanoseconds(1); },
      [](auto& task) { task.not_before = Time::since_epoch(Duration::nanoseconds(1)); },
      [](auto& task) { task.ttl = Duration::nanoseconds(1); },
      [](auto& task) { task.timeout = Duration::nanoseconds(1); },
      [](auto& task) { task.retention = Duration(); },
      [](auto& task) { task.backoff.initial = Duration::nanoseconds(1); },
      [](auto& task) { task.backoff.max = Duration::nanoseconds(1); },
  };
  std::vector<std::uint64_t> hashes = {hash};
  for (const auto& change : changes) {
    TaskDescription task = base;
    change(task);
    EXPECT_THAT(hashes, ::testing::Not(::testing::Contains(content_hash(task))));
    hashes.push_back(content_hash(task));
  }
}

// The hash lies on disk: a change here makes every resubmission after an upgrade a conflict.
TEST(TaskCodec, HashNeverChanges) {
  TaskDescription task = valid_task();
  EXPECT_EQ(content_hash(task), 3105108824458778268U);
  task.headers.assign(60, {"key", "a value long enough to fill more than one block"});
  task.payload = SharedBytes::copy_of(std::string(1'000, 'p'));
  EXPECT_EQ(content_hash(task), 7354466946293712628U);
}

TEST(TaskCodec, SpecTooLargeForItsPartsIsNotEvenVerified) {
  PeerLimits limits;
  limits.payload_bytes_max = ByteCount(1'000);
  limits.headers_bytes_max = ByteCount(24);
  const SharedBytes noise = SharedBytes::adopt(std::vector<std::uint8_t>(1'024 + 64 * 1'024 + 1));
  const Result<TaskSpec> spec = decode_task_spec(noise, limits);
  ASSERT_FALSE(spec.ok());
  EXPECT_EQ(spec.error().code, ErrorCode::too_large);
  EXPECT_THAT(spec.error().message, HasSubstr("task spec is 66561 bytes; at most 66560"));
  EXPECT_EQ(decode_task(noise, limits).error(), spec.error());
  EXPECT_EQ(decode_task(noise.slice(0, 66'560), limits).error().code, ErrorCode::invalid);
}

TEST(TaskCodec, ForgedSharingDoesNotMultiplyWork) {
  // One large value under every header: small on the wire, large when read.
  flatbuffers::FlatBufferBuilder builder;
  const auto text = builder.CreateString(std::string(10'000, 'v'));
  const auto key = builder.CreateString("k");
  std::vector<flatbuffers::Offset<schema::Header>> headers(
      kHeadersMost, schema::CreateHeader(builder, key, text));
  const auto header_vector = builder.CreateVector(headers);
  const auto queue = builder.CreateString("demo");
  const schema::Uuid id(1, 2);
  schema::TaskSpecBuilder spec(builder);
  spec.add_id(&id);
  spec.add_queue(queue);
  spec.add_headers(header_vector);
  schema::FinishTaskSpecBuffer(builder, spec.Finish());
  const Result<TaskSpec> read = decode_task_spec(release(builder), PeerLimits());
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::too_large);
}

}  // namespace
}  // namespace millrace::wire
