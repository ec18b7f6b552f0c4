// What the broker says of itself at its start: one JSON line on stdout for programs, log lines for
// people.
#pragma once

#include "broker/config.h"
#include "broker/recovery.h"
#include "common/host/log.h"

namespace millrace::broker {

// {"event":"ready","client_port":5555,…,"client":"tcp://127.0.0.1:5555",…} and a flush.
void print_ready_line(const BrokerConfig& config);

// Where it listens, what it recovered, and a warning when the task ports are open to other
// machines.
void announce(spdlog::logger& log, const BrokerConfig& config, const RecoverySummary& recovered);

}  // namespace millrace::broker
