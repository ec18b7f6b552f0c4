#include "worker/cpp/program_streams.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace millrace::worker {
namespace {

constexpr std::size_t kErrorTail = 4 * 1024;
constexpr std::size_t kChunk = 64 * 1024;
// So that a program that writes without end does not keep its slot from looking at the time.
constexpr int kChunksPerTurn = 16;

bool is_would_block() {
  return errno == EAGAIN || errno == EINTR;
}

// Reads what is there and gives it to `take`; closes at the end of file.
template <class Take>
void read_available(UniqueDescriptor& descriptor, Take take) {
  std::array<char, kChunk> buffer;
  for (int chunk = 0; chunk < kChunksPerTurn && descriptor.is_open(); ++chunk) {
    const ssize_t size = ::read(descriptor.get(), buffer.data(), buffer.size());
    if (size > 0) {
      take(buffer.data(), static_cast<std::size_t>(size));
    } else if (size < 0 && is_would_block()) {
      return;
    } else {
      descriptor.close();
    }
  }
}

}  // namespace

ProgramStreams::ProgramStreams(ChildProcess& child, SharedBytes payload, ByteCount result_bytes_max,
                               bool pass_errors_on)
    : child_(child),
      payload_(std::move(payload)),
      result_bytes_max_(static_cast<std::size_t>(result_bytes_max.value)),
      pass_errors_on_(pass_errors_on) {}

void ProgramStreams::move() {
  write_input();
  read_output();
  read_error();
}

void ProgramStreams::write_input() {
  while (child_.input.is_open()) {
    const std::size_t rest = payload_.size() - written_;
    const ssize_t size =
        rest == 0 ? 0 : ::write(child_.input.get(), payload_.data() + written_, rest);
    if (size > 0) {
      written_ += static_cast<std::size_t>(size);
    } else if (size < 0 && is_would_block()) {
      return;
    } else {
      child_.input.close();  // all written, or a program that does not want to read it (EPIPE)
    }
  }
}

void ProgramStreams::read_output() {
  read_available(child_.output, [this](const char* data, std::size_t size) {
    if (size > result_bytes_max_ - result_.size()) too_large_ = true;
    if (!too_large_) result_.insert(result_.end(), data, data + size);
  });
}

void ProgramStreams::read_error() {
  read_available(child_.error, [this](const char* data, std::size_t size) {
    if (pass_errors_on_) {
      [[maybe_unused]] const auto passed = ::write(STDERR_FILENO, data, size);
    }
    error_.append(data, size);
    if (error_.size() > kErrorTail) error_.erase(0, error_.size() - kErrorTail);
  });
}

std::string ProgramStreams::error_tail() const {
  const std::size_t end = error_.find_last_not_of(" \t\r\n");
  return end == std::string::npos ? std::string() : error_.substr(0, end + 1);
}

}  // namespace millrace::worker
