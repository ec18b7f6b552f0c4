// The bundle frame: byte strings one after the other, each starting at a multiple of 8 (so that
// FlatBuffers among them stay aligned), their lengths in the control frame.
#pragma once

#include <optional>
#include <vector>

#include "common/base/bytes.h"

namespace millrace::wire {

// Takes a bundle apart. The parts are slices and share its owner.
class BundleReader {
 public:
  // `bundle` starts on a multiple of 8, or is empty where the frame was left out.
  explicit BundleReader(SharedBytes bundle) : bundle_(std::move(bundle)) {}

  // The next part. Nothing when the bundle is shorter than that.
  std::optional<SharedBytes> take(std::uint32_t length);
  // True when all of the bundle has been taken.
  bool at_end() const { return at_ == bundle_.size(); }

 private:
  SharedBytes bundle_;
  std::size_t at_ = 0;
};

// Puts a bundle together.
class BundleWriter {
 public:
  // Returns the length for the control frame. Requires part.size() to fit 32 bits, as every limit
  // of a part does.
  std::uint32_t add(const SharedBytes& part);

  // The frame; empty when all parts are, and then not sent. A single part is not copied.
  SharedBytes finish() const;

 private:
  std::vector<SharedBytes> parts_;
};

}  // namespace millrace::wire
