// The messages in broken/ are refused, each for what is wrong with it; broken.py makes them.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/wire/control_codec.h"
#include "common/wire/heartbeat_codec.h"
#include "common/wire/task_codec.h"

namespace millrace {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(MILLRACE_GOLDEN) / ".." / "broken";

std::string contents_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <class Value>
std::optional<Error> refusal(const Result<Value>& read) {
  if (read.ok()) return std::nullopt;
  return read.error();
}

std::optional<Error> read_as(const std::string& reader, const wire::Frames& frames) {
  const PeerLimits limits;
  if (reader == "client_message") return refusal(wire::decode_client_message(frames, limits));
  if (reader == "client_reply") return refusal(wire::decode_client_reply(frames, limits));
  if (reader == "worker_message") return refusal(wire::decode_worker_message(frames, limits));
  if (reader == "worker_reply") return refusal(wire::decode_worker_reply(frames, limits));
  if (reader == "task") return refusal(wire::decode_task(frames[0], limits));
  if (reader == "beat") return refusal(wire::decode_beat(frames[0]));
  if (reader == "pulse") return refusal(wire::decode_pulse(frames[0]));
  ADD_FAILURE() << "no reader " << reader;
  return std::nullopt;
}

ErrorCode code_named(const std::string& name) {
  if (name == "too_large") return ErrorCode::too_large;
  if (name == "unsupported") return ErrorCode::unsupported;
  EXPECT_EQ(name, "invalid");
  return ErrorCode::invalid;
}

TEST(Broken, EveryMessageIsRefusedForWhatItIs) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".json") continue;
    ++count;
    const auto told = nlohmann::json::parse(contents_of(entry.path()));
    SCOPED_TRACE(entry.path().stem().string() + ": " + told["about"].get<std::string>());
    wire::Frames frames;
    for (const char* suffix : {".bin", ".bundle.bin", ".third.bin"}) {
      const auto path = kFolder / (entry.path().stem().string() + suffix);
      if (std::filesystem::exists(path)) {
        frames.push_back(SharedBytes::copy_of(contents_of(path)));
      }
    }
    const auto error = read_as(told["reader"], frames);
    ASSERT_TRUE(error.has_value()) << "it was taken";
    EXPECT_EQ(error->code, code_named(told["code"])) << error->message;
    EXPECT_FALSE(error->message.empty());
  }
  EXPECT_GT(count, 30U);
}

}  // namespace
}  // namespace millrace
