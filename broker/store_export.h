// Every task of a data directory as JSON lines.
#pragma once

#include <cstdint>
#include <cstdio>

#include "broker/store/store_reader.h"

namespace millrace::broker {

struct ExportSummary {
  std::uint64_t tasks = 0;
  std::uint64_t damaged = 0;  // tasks whose lines name what could not be read
};

// Writes one line a task, by rising sequence. Errors: corrupt where the log cannot be walked; io
// when `out` takes no more.
Result<ExportSummary> export_tasks(const StoreReader& store, std::FILE* out);

}  // namespace millrace::broker
