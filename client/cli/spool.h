// Keeps what came through a pipe until all of it was checked: in memory, and beyond a bound in a
// temporary file that has no name and goes with the process.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace millrace::cli {

class Spool {
 public:
  explicit Spool(ByteCount memory_max = ByteCount::mebibytes(64)) : memory_max_(memory_max) {}

  // Errors: io (no room for the temporary file).
  Status append(std::string_view bytes);
  // From now on read() gives everything from the start. Errors: io.
  Status rewind();
  // How many bytes were put at `buffer`; 0 at the end, -1 with errno.
  ssize_t read(char* buffer, std::size_t size);

  bool on_disk() const { return file_ != nullptr; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  Status move_to_disk();

  ByteCount memory_max_;
  std::string memory_;
  std::size_t read_ = 0;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace millrace::cli
