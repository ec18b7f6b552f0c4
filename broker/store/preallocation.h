// Disk blocks allocated ahead of what is used, so that a commit succeeds on a disk others have
// filled.
#pragma once

#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace millrace::broker {

// Of one file. One thread at a time.
class Preallocation {
 public:
  // `most`: the size the file may never pass.
  Preallocation(int descriptor, ByteCount reserve, ByteCount most)
      : descriptor_(descriptor), reserve_(reserve), most_(most) {}

  // Keeps at least `reserve` allocated beyond `used`, in steps. Lack of space is no error: then
  // allocated() is less than wanted. `free`: the free bytes of the file system. Errors: io.
  Status extend(ByteCount used, ByteCount free);

  // Blocks allocated from the start of the file without a hole.
  ByteCount allocated() const { return allocated_; }
  // False where the file system cannot allocate ahead; then only its free space counts.
  bool supported() const { return supported_; }

 private:
  Status measure();
  // False: no space.
  Result<bool> allocate_up_to(ByteCount end);

  int descriptor_;
  ByteCount reserve_;
  ByteCount most_;
  ByteCount allocated_;
  bool measured_ = false;
  bool supported_ = true;
};

}  // namespace millrace::broker
