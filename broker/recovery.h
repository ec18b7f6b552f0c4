// What a restart does: the core gets back everything the store holds.
#pragma once

#include "broker/core/broker_core.h"
#include "broker/store/store.h"
#include "common/host/clock.h"

namespace millrace::broker {

struct RecoverySummary {
  std::uint64_t tasks = 0;
  std::uint64_t in_progress = 0;  // wait for their workers to come back
  Duration took;
};

// Errors: corrupt, io, with a line that says where.
Result<RecoverySummary> recover(BrokerCore& core, Store& store, const host::Clock& clock);

}  // namespace millrace::broker
