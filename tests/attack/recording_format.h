// What the preloaded shim writes down of a program's calls, for the one who builds disks from it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace::attack {

// What a disk writes as a whole or not at all.
inline constexpr std::size_t kSectorBytes = 512;

enum class Operation : std::uint32_t {
  open,  // bytes: the path
  close,
  write,              // at offset; begun, nothing is known of its end
  synced_write_done,  // the write before it to this descriptor is on the disk (O_DSYNC)
  sync,               // begun
  sync_done,          // what was written before `sync` is on the disk
  truncate,           // offset: the new length
  extend,             // offset: the length at least
  make_directory,     // bytes: the path
  rename_from,        // bytes: the path; rename_to follows
  rename_to,
  unlink,
  acknowledge,  // bytes: what the program told the world
};

// One call, in the order in which they were made; `bytes` bytes follow.
struct RecordedCall {
  Operation operation = Operation::open;
  std::uint32_t file = 0;  // the descriptor
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

}  // namespace millrace::attack
