// What the meta table says of the whole data directory: format, id and epoch.
#pragma once

#include <array>
#include <cstdint>

#include "broker/store/lmdb_env.h"
#include "broker/store/tables.h"
#include "common/base/ids.h"

namespace millrace::broker {

// Checks that this broker can read the data file, without changing it. Errors: misconfigured for
// another format and for a file that is not ours; corrupt, also when there is nothing in it; io.
Status check_format(const lmdb::Environment& environment);

// What an earlier broker left. Errors: not_found, when there is no such value; corrupt.
Result<std::uint64_t> read_meta_number(const lmdb::Transaction& transaction, const Tables& tables,
                                       std::string_view name);

// "not_found" in the words of someone who finds that what every data directory has is missing; any
// other error as it is.
Error as_missing_part_of_directory(Error error);

struct StoreIdentity {
  Tables tables;
  std::array<std::uint8_t, 16> store_id{};  // random, drawn once for a data directory
  Epoch epoch;
};
// Makes an empty file one of Millrace, in which no epoch has begun; durable on return.
Status make_identity(const lmdb::Environment& environment);
// Begins the next epoch of a checked file; durable on return.
Result<StoreIdentity> begin_epoch(const lmdb::Environment& environment);

}  // namespace millrace::broker
