#include "tests/unit/store/failing_calls.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace millrace::testing {
namespace {

std::atomic<std::uint64_t> calls_left{0};
std::atomic<const char*> failed{nullptr};

bool fails(const char* name) {
  std::uint64_t left = calls_left.load();
  while (left > 0 && !calls_left.compare_exchange_weak(left, left - 1)) {
  }
  if (left != 1) return false;
  failed = name;
  return true;
}

std::atomic<std::uint64_t> refusals_left{0};
std::atomic<int> refusal{0};

// As the system says it.
int refuse(int code) {
  errno = code;
  return -1;
}

}  // namespace

void fail_call(std::uint64_t number) {
  failed = nullptr;
  calls_left = number;
}

void refuse_allocations(int error, std::uint64_t times) {
  refusal = error;
  refusals_left = times;
}

std::string failed_call() {
  const char* name = failed.load();
  return name == nullptr ? std::string() : std::string(name);
}

}  // namespace millrace::testing

// `RESULT __wrap_NAME(PARAMETERS)`, which fails as FAILURE says or calls the real one.
#define MILLRACE_FAILING_CALL_OF(result, name, parameters, arguments, failure) \
  extern "C" result __real_##name parameters;                                  \
  extern "C" result __wrap_##name parameters;                                  \
  extern "C" result __wrap_##name parameters {                                 \
    if (millrace::testing::fails(#name)) return failure;                       \
    return __real_##name arguments;                                            \
  }
#define MILLRACE_FAILING_CALL(name, parameters, arguments, failure) \
  MILLRACE_FAILING_CALL_OF(int, name, parameters, arguments, failure)

using millrace::testing::refuse;

MILLRACE_FAILING_CALL(fstat, (int file, struct stat* found), (file, found), refuse(EIO))
MILLRACE_FAILING_CALL(statvfs, (const char* path, struct statvfs* found), (path, found),
                      refuse(EIO))
MILLRACE_FAILING_CALL(mkdir, (const char* path, mode_t mode), (path, mode), refuse(EROFS))
MILLRACE_FAILING_CALL(flock, (int file, int operation), (file, operation), refuse(ENOLCK))
MILLRACE_FAILING_CALL(ftruncate, (int file, off_t length), (file, length), refuse(EIO))
MILLRACE_FAILING_CALL_OF(ssize_t, pwrite, (int file, const void* bytes, std::size_t size, off_t at),
                         (file, bytes, size, at), refuse(ENOSPC))
MILLRACE_FAILING_CALL_OF(ssize_t, getrandom, (void* bytes, std::size_t size, unsigned int flags),
                         (bytes, size, flags), refuse(ENOSYS))
MILLRACE_FAILING_CALL(rename, (const char* from, const char* to), (from, to), refuse(EXDEV))
MILLRACE_FAILING_CALL(fsync, (int file), (file), refuse(EIO))
MILLRACE_FAILING_CALL(eventfd, (unsigned int value, int flags), (value, flags), refuse(EMFILE))

MILLRACE_FAILING_CALL(mdb_env_create, (MDB_env * *env), (env), ENOMEM)
MILLRACE_FAILING_CALL(mdb_env_set_mapsize, (MDB_env * env, std::size_t size), (env, size), EINVAL)
MILLRACE_FAILING_CALL(mdb_env_set_maxdbs, (MDB_env * env, MDB_dbi most), (env, most), EINVAL)
MILLRACE_FAILING_CALL(mdb_env_open,
                      (MDB_env * env, const char* path, unsigned int flags, mdb_mode_t mode),
                      (env, path, flags, mode), MDB_VERSION_MISMATCH)
MILLRACE_FAILING_CALL(mdb_env_stat, (MDB_env * env, MDB_stat* found), (env, found), EINVAL)
MILLRACE_FAILING_CALL(mdb_env_get_fd, (MDB_env * env, mdb_filehandle_t* file), (env, file), EINVAL)
MILLRACE_FAILING_CALL(mdb_env_copyfd2, (MDB_env * env, mdb_filehandle_t file, unsigned int flags),
                      (env, file, flags), ENOSPC)
MILLRACE_FAILING_CALL(mdb_reader_check, (MDB_env * env, int* dead), (env, dead), EIO)
MILLRACE_FAILING_CALL(mdb_txn_begin,
                      (MDB_env * env, MDB_txn* parent, unsigned int flags, MDB_txn** transaction),
                      (env, parent, flags, transaction), MDB_READERS_FULL)
MILLRACE_FAILING_CALL(mdb_txn_renew, (MDB_txn * transaction), (transaction), MDB_PANIC)
MILLRACE_FAILING_CALL(mdb_dbi_open,
                      (MDB_txn * transaction, const char* name, unsigned int flags, MDB_dbi* table),
                      (transaction, name, flags, table), MDB_DBS_FULL)
MILLRACE_FAILING_CALL(mdb_get, (MDB_txn * transaction, MDB_dbi table, MDB_val* key, MDB_val* value),
                      (transaction, table, key, value), MDB_CORRUPTED)
MILLRACE_FAILING_CALL(mdb_put,
                      (MDB_txn * transaction, MDB_dbi table, MDB_val* key, MDB_val* value,
                       unsigned int flags),
                      (transaction, table, key, value, flags), MDB_MAP_FULL)
MILLRACE_FAILING_CALL(mdb_del, (MDB_txn * transaction, MDB_dbi table, MDB_val* key, MDB_val* value),
                      (transaction, table, key, value), EIO)
MILLRACE_FAILING_CALL(mdb_stat, (MDB_txn * transaction, MDB_dbi table, MDB_stat* found),
                      (transaction, table, found), EINVAL)
MILLRACE_FAILING_CALL(mdb_cursor_open, (MDB_txn * transaction, MDB_dbi table, MDB_cursor** cursor),
                      (transaction, table, cursor), EINVAL)
MILLRACE_FAILING_CALL(mdb_cursor_get,
                      (MDB_cursor * cursor, MDB_val* key, MDB_val* value, MDB_cursor_op operation),
                      (cursor, key, value, operation), MDB_PAGE_NOTFOUND)
MILLRACE_FAILING_CALL(mdb_cursor_del, (MDB_cursor * cursor, unsigned int flags), (cursor, flags),
                      EIO)

extern "C" int __real_fallocate(int file, int mode, off_t at, off_t length);
extern "C" int __wrap_fallocate(int file, int mode, off_t at, off_t length);
extern "C" int __wrap_fallocate(int file, int mode, off_t at, off_t length) {
  using millrace::testing::refusal;
  using millrace::testing::refusals_left;
  if (millrace::testing::fails("fallocate")) return refuse(EIO);
  if (refusals_left == 0) return __real_fallocate(file, mode, at, length);
  --refusals_left;
  return refuse(refusal);
}

extern "C" int __real_open(const char* path, int flags, ...);
extern "C" int __wrap_open(const char* path, int flags, mode_t mode);
extern "C" int __wrap_open(const char* path, int flags, mode_t mode) {
  if (millrace::testing::fails("open")) return refuse(EMFILE);
  return __real_open(path, flags, mode);
}

// LMDB frees the transaction whatever its commit returns.
extern "C" int __real_mdb_txn_commit(MDB_txn* transaction);
extern "C" int __wrap_mdb_txn_commit(MDB_txn* transaction);
extern "C" int __wrap_mdb_txn_commit(MDB_txn* transaction) {
  if (!millrace::testing::fails("mdb_txn_commit")) return __real_mdb_txn_commit(transaction);
  mdb_txn_abort(transaction);
  return EIO;
}
