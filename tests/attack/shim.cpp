// Preloaded into a program (LD_PRELOAD): stands between it and the system calls that touch one data
// directory. It kills the process at the N-th of them, lets the N-th fail, or writes all of them
// down. What it shall do is in its environment:
//
//   MILLRACE_ATTACK_DIRECTORY  the directory, as the program names it
//   MILLRACE_ATTACK            crash-before, crash-within, crash-after, fail, short or record
//   MILLRACE_ATTACK_CALLS      which calls fail: open, write, sync, size, map, name or memory
//   MILLRACE_ATTACK_NUMBER     which of them, from 1; a crash counts all that change the directory
//   MILLRACE_ATTACK_LASTING    set: all later ones fail too
//   MILLRACE_ATTACK_ERROR      the errno of a failure
//   MILLRACE_ATTACK_REPORT     a file that gets the recording; else a line: when the fault has
//   come,
//                              or how many calls there were
//
// The real calls are made by their numbers: nothing has to be looked up, so that malloc can be one
// of those that fail.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstring>

#include "tests/attack/shim_plan.h"

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

using millrace::attack::Calls;
using millrace::attack::die;
using millrace::attack::Fate;
using millrace::attack::fate_of;
using millrace::attack::Mode;
using millrace::attack::open_really;
using millrace::attack::Operation;
using millrace::attack::plan;
using millrace::attack::record;
using millrace::attack::RecordedCall;
using millrace::attack::write_really;

constexpr int kDescriptors = 4'096;
constexpr int kOutput = 1;  // the program's acknowledgements

// Of descriptors that are open in the directory: their flags of open(2) and a bit that no flag has.
std::array<std::atomic<int>, kDescriptors> opened_flags;
constexpr int kOpened = 1 << 30;

// One call as its fate is; `half` does a part of it.
template <class Real, class Half>
auto attack(Calls calls, bool ours, Real real, Half half) {
  using Returned = decltype(real());
  switch (ours ? fate_of(calls) : Fate::real) {
    case Fate::real:
      return real();
    case Fate::fails:
      errno = plan().error;
      return static_cast<Returned>(-1);
    case Fate::is_cut_short:
      return half();
    case Fate::dies_before:
      die();
    case Fate::dies_within:
      half();
      die();
    case Fate::dies_after:
      real();
      die();
  }
  die();
}
template <class Real>
auto attack(Calls calls, bool ours, Real real) {
  return attack(calls, ours, real, real);
}

bool is_ours(int file) {
  return file >= 0 && file < kDescriptors && opened_flags[static_cast<std::size_t>(file)] != 0;
}
bool is_ours(const char* path) {
  return plan().mode != Mode::off &&
         std::strncmp(path, plan().directory, std::strlen(plan().directory)) == 0;
}

void record(Operation operation, int file, std::uint64_t offset = 0, const void* bytes = nullptr,
            std::size_t size = 0) {
  RecordedCall call;
  call.operation = operation;
  call.file = static_cast<std::uint32_t>(file);
  call.offset = offset;
  call.bytes = size;
  record(call, bytes);
}
void record_name(Operation operation, int file, const char* path) {
  if (millrace::attack::is_recording()) record(operation, file, 0, path, std::strlen(path));
}

bool is_synced_write(int file) {
  return (opened_flags[static_cast<std::size_t>(file)] & O_DSYNC) != 0;
}

// What a kill or a full disk may leave of a write: the system copies a sector as a whole.
std::size_t half_of(std::size_t size) {
  return size / 2 / millrace::attack::kSectorBytes * millrace::attack::kSectorBytes;
}

// ---- calls of any kind of write -----------------------------------------------------------------

template <class Write>
ssize_t write_at(int file, std::uint64_t offset, const void* bytes, std::size_t size, Write write) {
  const bool ours = is_ours(file);
  if (!ours) return write(size);
  record(Operation::write, file, offset, bytes, size);
  const ssize_t written = attack(
      Calls::write, ours, [&] { return write(size); }, [&] { return write(half_of(size)); });
  if (is_synced_write(file)) record(Operation::synced_write_done, file, offset, nullptr, 0);
  return written;
}

std::uint64_t place_of(int file) {
  return static_cast<std::uint64_t>(::syscall(SYS_lseek, file, 0, SEEK_CUR));
}

int sync(int file, long call) {
  if (!is_ours(file)) return static_cast<int>(::syscall(call, file));
  record(Operation::sync, file);
  const int done =
      attack(Calls::sync, true, [&] { return static_cast<int>(::syscall(call, file)); });
  record(Operation::sync_done, file);
  return done;
}

int open_file(const char* path, int flags, mode_t mode) {
  const bool ours = is_ours(path);
  const bool counted = ours && (plan().mode == Mode::fail || (flags & (O_CREAT | O_TRUNC)) != 0);
  const int file = attack(Calls::open, counted, [&] { return open_really(path, flags, mode); });
  if (ours && file >= 0 && file < kDescriptors) {
    opened_flags[static_cast<std::size_t>(file)] = flags | kOpened;
    record_name(Operation::open, file, path);
  }
  return file;
}

mode_t mode_of(int flags, va_list& arguments) {
  return (flags & O_CREAT) != 0 ? static_cast<mode_t>(va_arg(arguments, unsigned int)) : 0;
}

}  // namespace

// ---- in the place of libc's ---------------------------------------------------------------------

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_file(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_file(path, flags, mode);
}

int close(int file) {
  if (is_ours(file)) {
    record(Operation::close, file);
    opened_flags[static_cast<std::size_t>(file)] = 0;
  }
  return static_cast<int>(::syscall(SYS_close, file));
}

ssize_t write(int file, const void* bytes, std::size_t size) {
  if (file == kOutput) record(Operation::acknowledge, file, 0, bytes, size);
  const std::uint64_t place = is_ours(file) ? place_of(file) : 0;
  return write_at(file, place, bytes, size,
                  [&](std::size_t most) { return write_really(file, bytes, most); });
}

ssize_t pwrite(int file, const void* bytes, std::size_t size, off_t offset) {
  return write_at(file, static_cast<std::uint64_t>(offset), bytes, size, [&](std::size_t most) {
    return static_cast<ssize_t>(::syscall(SYS_pwrite64, file, bytes, most, offset));
  });
}
ssize_t pwrite64(int file, const void* bytes, std::size_t size, off_t offset) {
  return pwrite(file, bytes, size, offset);
}

ssize_t writev(int file, const iovec* parts, int count) {
  if (!is_ours(file)) return static_cast<ssize_t>(::syscall(SYS_writev, file, parts, count));
  std::uint64_t offset = place_of(file);
  for (int i = 0; i < count; ++i) {
    record(Operation::write, file, offset, parts[i].iov_base, parts[i].iov_len);
    offset += parts[i].iov_len;
  }
  const auto some = [&](int most) {
    return static_cast<ssize_t>(::syscall(SYS_writev, file, parts, most));
  };
  return attack(
      Calls::write, true, [&] { return some(count); },
      [&] { return some(std::max(1, count / 2)); });
}

int fdatasync(int file) {
  return sync(file, SYS_fdatasync);
}
int fsync(int file) {
  return sync(file, SYS_fsync);
}

int ftruncate(int file, off_t size) noexcept {
  const bool ours = is_ours(file);
  if (ours) record(Operation::truncate, file, static_cast<std::uint64_t>(size));
  return attack(Calls::size, ours,
                [&] { return static_cast<int>(::syscall(SYS_ftruncate, file, size)); });
}
int ftruncate64(int file, off_t size) noexcept {
  return ftruncate(file, size);
}

int fallocate(int file, int mode, off_t offset, off_t size) {
  const bool ours = is_ours(file);
  if (ours) record(Operation::extend, file, static_cast<std::uint64_t>(offset + size));
  return attack(Calls::size, ours, [&] {
    return static_cast<int>(::syscall(SYS_fallocate, file, mode, offset, size));
  });
}
int fallocate64(int file, int mode, off_t offset, off_t size) {
  return fallocate(file, mode, offset, size);
}

void* mmap(void* address, std::size_t size, int protection, int flags, int file,
           off_t offset) noexcept {
  const long mapped = attack(Calls::map, is_ours(file), [&] {
    return ::syscall(SYS_mmap, address, size, protection, flags, file, offset);
  });
  return reinterpret_cast<void*>(mapped);
}
void* mmap64(void* address, std::size_t size, int protection, int flags, int file,
             off_t offset) noexcept {
  return mmap(address, size, protection, flags, file, offset);
}

int mkdir(const char* path, mode_t mode) noexcept {
  const bool ours = is_ours(path);
  if (ours) record_name(Operation::make_directory, -1, path);
  return attack(Calls::name, ours,
                [&] { return static_cast<int>(::syscall(SYS_mkdirat, AT_FDCWD, path, mode)); });
}

int unlink(const char* path) noexcept {
  const bool ours = is_ours(path);
  if (ours) record_name(Operation::unlink, -1, path);
  return attack(Calls::name, ours,
                [&] { return static_cast<int>(::syscall(SYS_unlinkat, AT_FDCWD, path, 0)); });
}

int rmdir(const char* path) noexcept {
  return attack(Calls::name, is_ours(path), [&] {
    return static_cast<int>(::syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR));
  });
}

int rename(const char* from, const char* to) noexcept {
  const bool ours = is_ours(to);
  if (ours) record_name(Operation::rename_from, -1, from);
  if (ours) record_name(Operation::rename_to, -1, to);
  return attack(Calls::name, ours, [&] {
    return static_cast<int>(::syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to));
  });
}

// ---- memory -------------------------------------------------------------------------------------

static bool memory_fails() {
  if (plan().mode != Mode::fail || plan().calls != Calls::memory) return false;
  if (fate_of(Calls::memory) == Fate::real) return false;
  errno = ENOMEM;
  return true;
}

void* malloc(std::size_t size) noexcept {
  return memory_fails() ? nullptr : __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  return memory_fails() ? nullptr : __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) noexcept {
  return memory_fails() ? nullptr : __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return memory_fails() ? nullptr : __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return memory_fails() ? nullptr : __libc_memalign(alignment, size);
}
int posix_memalign(void** place, std::size_t alignment, std::size_t size) noexcept {
  if (memory_fails()) return ENOMEM;
  *place = __libc_memalign(alignment, size);
  return *place == nullptr ? ENOMEM : 0;
}

}  // extern "C"
