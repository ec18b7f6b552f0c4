#include "broker/access/zap.h"

#include <zmq.h>

#include <array>
#include <cstdint>

namespace millrace::broker {
namespace {

constexpr const char* kVersion = "1.0";
// version, request id, domain, address, routing id, mechanism, then the credentials
constexpr std::size_t kMechanismFrame = 5;
constexpr std::size_t kCurveFrames = 7;
constexpr std::size_t kKeyBytes = 32;

std::string z85_of(const std::string& bytes) {
  std::array<char, 41> text{};
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return zmq_z85_encode(text.data(), data, bytes.size()) == nullptr ? "" : text.data();
}

}  // namespace

std::optional<ZapQuestion> read_zap_question(const std::vector<std::string>& frames) {
  if (frames.size() <= kMechanismFrame || frames[0] != kVersion) return std::nullopt;
  ZapQuestion question{frames[1], frames[3], ""};
  const bool has_key = frames[kMechanismFrame] == "CURVE" && frames.size() == kCurveFrames &&
                       frames.back().size() == kKeyBytes;
  if (has_key) question.public_key = z85_of(frames.back());
  return question;
}

std::vector<std::string> zap_answer(const ZapQuestion& question, const std::string& user_id) {
  if (user_id.empty())
    return {kVersion, question.request_id, "400", "not in the allowlist", "", ""};
  return {kVersion, question.request_id, "200", "", user_id, ""};
}

}  // namespace millrace::broker
