#include "common/wire/bundle.h"

#include <limits>

#include "common/wire/flatbuffer_bytes.h"

namespace millrace::wire {
namespace {

std::size_t round_up(std::size_t offset) {
  return (offset + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
}

}  // namespace

std::optional<SharedBytes> BundleReader::take(std::uint32_t length) {
  if (length == 0) return SharedBytes();
  const std::size_t start = round_up(at_);
  if (start > bundle_.size() || length > bundle_.size() - start) return std::nullopt;
  at_ = start + length;
  return bundle_.slice(start, length);
}

std::uint32_t BundleWriter::add(const SharedBytes& part) {
  MILLRACE_CHECK(part.size() <= std::numeric_limits<std::uint32_t>::max(), "part fits 32 bits");
  if (!part.empty()) parts_.push_back(part);
  return static_cast<std::uint32_t>(part.size());
}

SharedBytes BundleWriter::finish() const {
  if (parts_.empty()) return {};
  if (parts_.size() == 1) return parts_.front();
  std::size_t size = 0;
  for (const SharedBytes& part : parts_) size = round_up(size) + part.size();
  std::vector<std::uint8_t> frame;
  frame.reserve(size);
  for (const SharedBytes& part : parts_) {
    frame.resize(round_up(frame.size()));
    frame.insert(frame.end(), part.view().begin(), part.view().end());
  }
  return SharedBytes::adopt(std::move(frame));
}

}  // namespace millrace::wire
