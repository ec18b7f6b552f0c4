#include "broker/store/store_reader.h"

#include <sys/stat.h>

#include "broker/store/data_directory.h"
#include "broker/store/page_check.h"
#include "broker/store/store_identity.h"

namespace millrace::broker {
namespace {

Error unusable(const std::string& directory, const std::string& problem) {
  return Error{ErrorCode::not_found, "data directory " + directory + ": " + problem};
}

}  // namespace

Result<std::unique_ptr<StoreReader>> StoreReader::open(const std::string& directory, Pages pages) {
  struct stat file {};
  if (::stat((directory + "/data.mdb").c_str(), &file) != 0) {
    return unusable(directory, "it has no data.mdb; name the directory of a broker");
  }
  if (file.st_size == 0) {
    return Error{ErrorCode::corrupt,
                 "data directory " + directory + ": data.mdb is empty; restore it from a backup"};
  }
  // As large as the file says it is: the map of a broker that runs on it may be larger.
  Result<lmdb::Environment> environment =
      lmdb::Environment::open(directory, ByteCount(), kAllTables.size(), lmdb::Access::read_only);
  if (!environment.ok()) return environment.error();
  std::unique_ptr<StoreReader> reader(new StoreReader(*std::move(environment)));
  Result<lmdb::Transaction> snapshot = lmdb::Transaction::begin_read(reader->environment_);
  if (!snapshot.ok()) return snapshot.error();
  if (pages == Pages::checked) {
    Status sound = check_pages(reader->environment_, *snapshot, lmdb::ValuePages::all);
    if (!sound.ok()) return sound.error();
  }
  if (Status known = check_format(reader->environment_); !known.ok()) return known.error();
  reader->snapshot_ = *std::move(snapshot);
  Result<Tables> tables = Tables::open(*reader->snapshot_, false);
  if (!tables.ok()) return as_missing_part_of_directory(tables.error());
  reader->tables_ = *tables;
  return reader;
}

}  // namespace millrace::broker
