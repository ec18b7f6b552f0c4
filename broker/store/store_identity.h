// What the meta table says of the whole data directory: format, id and epoch.
#pragma once

#include <array>
#include <cstdint>

#include "broker/store/lmdb_env.h"
#include "broker/store/tables.h"
#include "common/base/ids.h"

namespace millrace::broker {

// Checks that this broker can read the data file, without changing it. Errors: misconfigured for a
// newer format and for a file that is not ours; corrupt; io.
Status check_format(const lmdb::Environment& environment);

struct StoreIdentity {
  Tables tables;
  std::array<std::uint8_t, 16> store_id{};  // random, drawn once for a data directory
  Epoch epoch;
};
// Begins the next epoch of a checked file, or the first of an empty one; durable on return.
Result<StoreIdentity> begin_epoch(const lmdb::Environment& environment);

}  // namespace millrace::broker
