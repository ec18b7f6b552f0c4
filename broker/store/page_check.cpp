#include "broker/store/page_check.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "broker/store/page_walk.h"

namespace millrace::broker::lmdb {
namespace {

// A writer that commits again and again between two looks at the metas is not that fast.
constexpr int kLooksMost = 100;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

Error read_error(int code) {
  return Error{ErrorCode::io, std::string("cannot read data.mdb: ") + std::strerror(code)};
}

struct MetaPage {
  PageHead head;
  Meta meta;
};
static_assert(sizeof(MetaPage) == sizeof(PageHead) + sizeof(Meta));

Result<MetaPage> read_meta(int file, std::size_t offset) {
  MetaPage page;
  std::array<std::uint8_t, sizeof(MetaPage)> bytes{};
  const ssize_t size = ::pread(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (size < 0) return read_error(errno);
  if (size != static_cast<ssize_t>(bytes.size())) return damaged_file("it ends within its metas");
  std::memcpy(&page, bytes.data(), bytes.size());
  return page;
}

Status check_form(const MetaPage& page, PageNumber number) {
  const std::string name = "meta page " + std::to_string(number) + " ";
  if (page.head.number != number || page.head.kind != meta_page) {
    return damaged_file(name + "is none");
  }
  if (page.meta.magic != kMetaMagic) return damaged_file(name + "is not of LMDB");
  if (page.meta.version != kMetaVersion) {
    return Error{ErrorCode::misconfigured,
                 "data.mdb is of another LMDB, with file version " +
                     std::to_string(page.meta.version) +
                     ": use the broker that wrote it, or restore it from a backup"};
  }
  const std::size_t bytes = page.meta.free_list.pad;
  const bool is_power_of_two = bytes != 0 && (bytes & (bytes - 1)) == 0;
  if (!is_power_of_two || bytes < kLeastPageBytes || bytes > kMostPageBytes) {
    return damaged_file(name + "names pages of " + std::to_string(bytes) + " bytes");
  }
  return Done{};
}

struct Metas {
  Meta newest;  // of the snapshot
  Meta other;
};

Result<Metas> read_metas(const Environment& environment, std::uint64_t transaction) {
  std::array<Meta, kMetaPages> metas;
  for (PageNumber number = 0; number < kMetaPages; ++number) {
    const Result<MetaPage> page =
        read_meta(environment.data_descriptor(), number * environment.page_bytes());
    if (!page.ok()) return page.error();
    if (Status form = check_form(*page, number); !form.ok()) return form.error();
    metas[number] = page->meta;
  }
  return Metas{metas[transaction % kMetaPages], metas[(transaction + 1) % kMetaPages]};
}

// The metas while they hold the snapshot, or the newer one that it is renewed to.
Result<Metas> settle(const Environment& environment, Transaction& snapshot) {
  for (int look = 0; look < kLooksMost; ++look) {
    const std::uint64_t transaction = mdb_txn_id(snapshot.handle());
    const Result<Metas> metas = read_metas(environment, transaction);
    if (!metas.ok()) return metas;
    const bool follows = metas->other.transaction + 1 == transaction ||
                         (transaction == 0 && metas->other.transaction == 0);
    const bool is_replaced = metas->other.transaction == transaction + 1;  // by one that writes now
    if (metas->newest.transaction == transaction && (follows || is_replaced)) return metas;
    snapshot.reset();
    if (Status renewed = snapshot.renew(); !renewed.ok()) return renewed.error();
  }
  return damaged_file("its meta pages do not follow each other, so the newest changes may be gone");
}

// What is read of the data file, as long as this lives.
class MappedFile {
 public:
  static Result<MappedFile> map(int file, std::size_t bytes) {
    void* const place = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, 0);
    if (place == MAP_FAILED) return read_error(errno);
    return MappedFile(place, bytes);
  }
  MappedFile(MappedFile&& other) noexcept
      : place_(std::exchange(other.place_, nullptr)), bytes_(other.bytes_) {}
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile() {
    if (place_ != nullptr) ::munmap(place_, bytes_);
  }
  BytesView bytes() const { return {static_cast<const std::uint8_t*>(place_), bytes_}; }

 private:
  MappedFile(void* place, std::size_t bytes) : place_(place), bytes_(bytes) {}

  void* place_;
  std::size_t bytes_;
};

Result<std::uint64_t> length_of(int file) {
  struct stat found {};
  if (::fstat(file, &found) != 0) return read_error(errno);
  return static_cast<std::uint64_t>(found.st_size);
}

// Every commit puts the pages that it frees on the list under its own number, and takes none of
// those off that the commit before has freed: so both metas can be held against their lists.
Status check_transaction(const PageWalk& walk, const Meta& meta, std::uint64_t newest_allowed) {
  if (meta.transaction < 2) return Done{};  // the first one frees nothing
  const Result<std::uint64_t> newest = walk.newest_of_free_list(meta.free_list);
  if (!newest.ok()) return newest.error();
  if (*newest == meta.transaction || *newest == newest_allowed) return Done{};
  return damaged_file("a meta page names transaction " + std::to_string(meta.transaction) +
                      " and holds " + std::to_string(*newest) +
                      ", so the newest changes may be gone");
}

Error truncated(std::uint64_t length, const Meta& meta) {
  return Error{ErrorCode::corrupt, "data.mdb is truncated: it has " + std::to_string(length) +
                                       " of at least " +
                                       std::to_string((meta.last_page + 1) * meta.free_list.pad) +
                                       " bytes; restore the data directory from a backup"};
}

Status check_forms(const std::string& data_file) {
  const Descriptor file(::open(data_file.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return read_error(errno);
  std::array<Meta, kMetaPages> metas;
  std::size_t offset = 0;
  for (PageNumber number = 0; number < kMetaPages; ++number) {
    const Result<MetaPage> page = read_meta(file.get(), offset);
    if (!page.ok()) return page.error();
    if (Status form = check_form(*page, number); !form.ok()) return form;
    metas[number] = page->meta;
    offset = page->meta.free_list.pad;
  }
  if (metas[0].free_list.pad != metas[1].free_list.pad) {
    return damaged_file("its meta pages name different sizes of a page");
  }
  // Looked at last: beside a broker that writes, the file is longer than an older meta says.
  const Result<std::uint64_t> length = length_of(file.get());
  if (!length.ok()) return length.error();
  for (const Meta& meta : metas) {
    if (meta.last_page >= *length / meta.free_list.pad) return truncated(*length, meta);
  }
  return Done{};
}

Status check_snapshot(const Environment& environment, Transaction& snapshot, ValuePages looked_at) {
  const Result<Metas> metas = settle(environment, snapshot);
  if (!metas.ok()) return metas.error();
  const std::size_t page_bytes = environment.page_bytes();
  const Result<std::uint64_t> length = length_of(environment.data_descriptor());
  if (!length.ok()) return length.error();
  const PageNumber pages_there = *length / page_bytes;
  for (const Meta& meta : {metas->newest, metas->other}) {
    if (meta.last_page >= pages_there) return truncated(*length, meta);
    if (meta.last_page < kMetaPages - 1) return damaged_file("a meta page names no pages");
  }
  const Result<MappedFile> file =
      MappedFile::map(environment.data_descriptor(), pages_there * page_bytes);
  if (!file.ok()) return file.error();
  const PageWalk whole(file->bytes(), page_bytes, pages_there, looked_at);
  Status done = check_transaction(whole, metas->newest, metas->newest.transaction);
  // One that a writer has put in its place meanwhile is not of this snapshot. Where the write of a
  // newer one has failed, LMDB puts the old number back, but not what the page held before.
  if (done.ok() && metas->other.transaction < metas->newest.transaction) {
    done = check_transaction(whole, metas->other, metas->newest.transaction + 1);
  }
  if (!done.ok()) return done;
  return PageWalk(file->bytes(), page_bytes, metas->newest.last_page + 1, looked_at)
      .check(metas->newest);
}

Status in_directory(const std::string& directory, Status status) {
  if (status.ok()) return status;
  return Error{status.error().code, "data directory " + directory + ": " + status.error().message};
}

}  // namespace

Status check_meta_pages(const std::string& directory) {
  const std::string data_file = directory + "/data.mdb";
  if (::access(data_file.c_str(), F_OK) != 0 && errno == ENOENT) return Done{};
  return in_directory(directory, check_forms(data_file));
}

Status check_pages(const Environment& environment, Transaction& snapshot, ValuePages looked_at) {
  const char* directory = nullptr;
  mdb_env_get_path(environment.handle(), &directory);
  return in_directory(directory, check_snapshot(environment, snapshot, looked_at));
}

}  // namespace millrace::broker::lmdb
