// millrace-broker fsck, export, backup, restore, compact: a data directory without its broker.
#pragma once

#include <optional>

#include "common/host/exit_code.h"

namespace millrace::broker {

// Runs the tool that the first argument names; nullopt: it names none, the broker is to run.
std::optional<host::ExitCode> run_store_tool(int argc, const char* const* argv);

// For the broker's --help.
const char* list_of_store_tools();

}  // namespace millrace::broker
