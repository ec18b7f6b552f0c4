// The codecs against the fixtures: what they write is what lies there, byte for byte, and what lies
// there reads as the value it was made from. `millrace_golden_test --rewrite` writes the files
// anew.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>

#include "common/wire/heartbeat_codec.h"
#include "tests/golden/sample_json.h"

namespace millrace::golden {
namespace {

const std::filesystem::path kFolder = MILLRACE_GOLDEN;

// ---- coding -------------------------------------------------------------------------------------

struct Encode {
  wire::Frames operator()(const wire::TaskDescription& task) const {
    return {wire::encode_task(task).bytes};
  }
  wire::Frames operator()(const Beat& beat) const { return {wire::encode(beat)}; }
  wire::Frames operator()(const Pulse& pulse) const { return {wire::encode(pulse)}; }
  template <class Message>
  wire::Frames operator()(const Message& message) const {
    return wire::encode(message);
  }
};

wire::Frames encode(const Value& value) {
  return std::visit(Encode(), value);
}

// Reads frames as what `like` is.
struct DecodeLike {
  const wire::Frames& frames;

  Result<Value> operator()(const wire::TaskDescription&) const {
    return as_value(wire::decode_task(frames[0], PeerLimits()));
  }
  Result<Value> operator()(const Beat&) const { return as_value(wire::decode_beat(frames[0])); }
  Result<Value> operator()(const Pulse&) const { return as_value(wire::decode_pulse(frames[0])); }
  Result<Value> operator()(const ClientMessage&) const {
    return as_value(wire::decode_client_message(frames, PeerLimits()));
  }
  Result<Value> operator()(const ClientReply&) const {
    return as_value(wire::decode_client_reply(frames, PeerLimits()));
  }
  Result<Value> operator()(const WorkerMessage&) const {
    return as_value(wire::decode_worker_message(frames, PeerLimits()));
  }
  Result<Value> operator()(const WorkerReply&) const {
    return as_value(wire::decode_worker_reply(frames, PeerLimits()));
  }

  template <class Message>
  static Result<Value> as_value(Result<Message> message) {
    if (!message) return message.error();
    return Value(*std::move(message));
  }
};

// ---- files --------------------------------------------------------------------------------------

std::vector<std::filesystem::path> files_of(const std::string& name, std::size_t frames) {
  std::vector<std::filesystem::path> files = {kFolder / (name + ".json"),
                                              kFolder / (name + ".bin")};
  if (frames > 1) files.push_back(kFolder / (name + ".bundle.bin"));
  return files;
}

std::string contents_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string json_text(const Sample& sample) {
  return json_of(sample).dump(2) + "\n";
}

void rewrite() {
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    std::filesystem::remove(entry.path());
  }
  for (const Sample& sample : all_samples()) {
    const wire::Frames frames = encode(sample.value);
    const auto files = files_of(sample.name, frames.size());
    std::ofstream(files[0], std::ios::binary) << json_text(sample);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      std::ofstream(files[i + 1], std::ios::binary) << frames[i].text();
    }
  }
}

// ---- tests --------------------------------------------------------------------------------------

TEST(Golden, WhatTheCodecsWriteIsWhatLiesThere) {
  for (const Sample& sample : all_samples()) {
    SCOPED_TRACE(sample.name);
    const wire::Frames frames = encode(sample.value);
    const auto files = files_of(sample.name, frames.size());
    EXPECT_EQ(contents_of(files[0]), json_text(sample));
    for (std::size_t i = 0; i < frames.size(); ++i) {
      EXPECT_TRUE(contents_of(files[i + 1]) == frames[i].text()) << files[i + 1];
    }
  }
}

TEST(Golden, WhatLiesThereReadsAsItsValue) {
  for (const Sample& sample : all_samples()) {
    SCOPED_TRACE(sample.name);
    wire::Frames frames;
    const auto files = files_of(sample.name, encode(sample.value).size());
    for (std::size_t i = 1; i < files.size(); ++i) {
      frames.push_back(SharedBytes::copy_of(contents_of(files[i])));
    }
    const auto read = std::visit(DecodeLike{frames}, sample.value);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(json_of(Sample{sample.name, sample.about, *read}), json_of(sample));
  }
}

// later/ has the fixtures as a version with more fields in every table would write them.
TEST(Golden, FieldsThatCameLaterAreIgnored) {
  for (const Sample& sample : all_samples()) {
    SCOPED_TRACE(sample.name);
    wire::Frames frames = encode(sample.value);
    const SharedBytes later =
        SharedBytes::copy_of(contents_of(kFolder / ".." / "later" / (sample.name + ".bin")));
    ASSERT_FALSE(later == frames[0]);
    frames[0] = later;
    const auto read = std::visit(DecodeLike{frames}, sample.value);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(json_of(Sample{sample.name, sample.about, *read}), json_of(sample));
  }
}

TEST(Golden, AMessageThatCameLaterIsUnsupported) {
  const wire::Frames frames = {
      SharedBytes::copy_of(contents_of(kFolder / ".." / "later" / "unknown_message.bin"))};
  const PeerLimits limits;
  EXPECT_EQ(wire::decode_client_message(frames, limits).error().code, ErrorCode::unsupported);
  EXPECT_EQ(wire::decode_client_reply(frames, limits).error().code, ErrorCode::unsupported);
  EXPECT_EQ(wire::decode_worker_message(frames, limits).error().code, ErrorCode::unsupported);
  EXPECT_EQ(wire::decode_worker_reply(frames, limits).error().code, ErrorCode::unsupported);
  EXPECT_EQ(wire::request_of(frames), RequestId(9));
}

TEST(Golden, EveryMessageHasASample) {
  std::set<std::string> sampled;
  for (const Sample& sample : all_samples()) sampled.insert(name_of_table(sample.value));
  sampled.erase("");
  const std::size_t shared = 2;  // Refused and BrokerGoodbye go both ways
  EXPECT_EQ(sampled.size(), std::variant_size_v<ClientMessage> + std::variant_size_v<ClientReply> +
                                std::variant_size_v<WorkerMessage> +
                                std::variant_size_v<WorkerReply> - shared);
}

TEST(Golden, NothingElseLiesThere) {
  std::set<std::filesystem::path> expected;
  for (const Sample& sample : all_samples()) {
    for (const auto& file : files_of(sample.name, encode(sample.value).size())) {
      EXPECT_TRUE(expected.insert(file).second) << file << " belongs to two samples";
    }
  }
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    EXPECT_EQ(expected.count(entry.path()), 1U) << entry.path();
  }
}

}  // namespace
}  // namespace millrace::golden

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "--rewrite") {
    millrace::golden::rewrite();
    return 0;
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
