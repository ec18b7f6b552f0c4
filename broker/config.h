// What an operator may set, with defaults and limits, from flags, environment and file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "broker/admin/admin_server.h"
#include "broker/admin/http_gate.h"
#include "broker/core/core_settings.h"
#include "broker/store/store_settings.h"
#include "broker/unsent_bytes.h"
#include "common/host/exit_code.h"

namespace millrace::broker {

struct BrokerConfig {
  std::string bind_host = "127.0.0.1";
  std::string keys_folder;  // empty: no keys, whoever reaches the ports is served
  bool allow_network_without_keys = false;
  std::uint16_t client_port = 5555;
  std::uint16_t worker_port = 5556;
  std::uint16_t beat_port = 5557;
  std::uint16_t pulse_port = 5558;
  std::string http_host;  // empty: bind_host
  HttpReaders http_readers = HttpReaders::loopback;
  std::uint32_t http_leases_max = 256;
  std::string log_level = "info";
  std::string log_format = "text";
  // Specs kept in memory between acceptance and dispatch; beyond it they are read from the store.
  ByteCount spec_cache_bytes_max = ByteCount::mebibytes(8);
  // Writes that wait for their commit; beyond it clients are not read until it shrinks.
  ByteCount uncommitted_bytes_max = ByteCount::mebibytes(64);
  UnsentLimits unsent;
  StoreSettings store;
  AdminSettings admin;
  CoreSettings core;
};

// Whether only this machine can reach a socket bound there.
bool is_loopback(const std::string& host);

// The configuration, or the code to exit with now: --help and --version are done, anything wrong
// has been said in one line on stderr.
struct ConfigResult {
  std::optional<BrokerConfig> config;
  host::ExitCode exit_now = host::ExitCode::done;
};
ConfigResult read_config(int argc, const char* const* argv);

}  // namespace millrace::broker
