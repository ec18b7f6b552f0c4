#include "client/cli/line_reader.h"

#include <algorithm>

namespace millrace::cli {
namespace {

constexpr std::size_t kReadBytes = 64U << 10;

}  // namespace

LineStatus LineReader::next(std::string_view& line) {
  for (;;) {
    const std::size_t newline = buffer_.find('\n', scanned_);
    if (newline != std::string::npos) {
      line = std::string_view(buffer_).substr(start_, newline - start_);
      start_ = scanned_ = newline + 1;
      ++number_;
      return line.size() > line_bytes_max_ ? LineStatus::too_long : LineStatus::line;
    }
    scanned_ = buffer_.size();
    if (buffer_.size() - start_ > line_bytes_max_) {
      ++number_;
      return LineStatus::too_long;
    }
    if (at_end_) {
      if (start_ == buffer_.size()) return LineStatus::end;
      line = std::string_view(buffer_).substr(start_);
      start_ = buffer_.size();
      ++number_;
      return LineStatus::line;
    }
    buffer_.erase(0, start_);
    scanned_ -= start_;
    start_ = 0;
    const std::size_t held = buffer_.size();
    buffer_.resize(held + kReadBytes);
    const ssize_t count = source_(buffer_.data() + held, kReadBytes);
    buffer_.resize(held + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == kSourceFailed) return LineStatus::failed;
    if (count == kSourcePauses) return LineStatus::pause;
    if (count == kSourceStopped) return LineStatus::stopped;
    if (count == 0) at_end_ = true;
  }
}

}  // namespace millrace::cli
