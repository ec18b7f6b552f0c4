// Lines from bytes, each of bounded length.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

namespace millrace::cli {

// Fills up to `size` bytes at `buffer`: how many, 0 at the end, or one of the two below.
using ByteSource = std::function<ssize_t(char* buffer, std::size_t size)>;
inline constexpr ssize_t kSourceFailed = -1;   // errno says why
inline constexpr ssize_t kSourcePauses = -2;   // nothing just now
inline constexpr ssize_t kSourceStopped = -3;  // the user asked to stop

enum class LineStatus { line, end, pause, too_long, failed, stopped };

// Not thread-safe.
class LineReader {
 public:
  LineReader(ByteSource source, std::size_t line_bytes_max)
      : source_(std::move(source)), line_bytes_max_(line_bytes_max) {}

  // `line` without its newline, valid until the next call. A last line needs no newline.
  LineStatus next(std::string_view& line);
  // Of the line given last, from 1.
  std::size_t number() const { return number_; }

 private:
  ByteSource source_;
  std::size_t line_bytes_max_;
  std::string buffer_;
  std::size_t start_ = 0;    // of the next line in buffer_
  std::size_t scanned_ = 0;  // no newline before
  std::size_t number_ = 0;
  bool at_end_ = false;
};

}  // namespace millrace::cli
